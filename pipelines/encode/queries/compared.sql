-- One row per photo of the listing: what was known of it, what became of it, and its fate: what is to be done with it.
--   retracted  it was withdrawn, by its name or by its content
--   done       it was read by this run, perhaps by an attempt that was cut off
--   unchanged  it is listed as it was, or its folder cannot be listed, so that nobody knows
--   read       it has to be read
-- Tables: listed, previous (the last inventory), words (that of another encoder, for a first run), outcomes (of this
-- run), and the single columns withdrawn_photos, withdrawn_contents, withdrawn_restored (taken back since the last run),
-- lost_contents (those, and what nothing holds a vector of any more), unlistable, retried. Parameters: check (stat, hash,
-- or none, which takes what was known for unchanged), settled, is_last.
CREATE OR REPLACE TABLE compared AS
WITH known AS (
    SELECT p.*,
           p.content_sha256 IN (FROM withdrawn_contents) IS TRUE AS is_withdrawn,
           -- What could not be read may be readable now, and what was withdrawn was perhaps taken back; whatever else
           -- was rejected is so for its bytes. What has lost its vector gets another one.
           coalesce(
               $check <> 'none'
               AND (p.reason = 'unreadable' OR (p.reason = 'retracted' AND EXISTS (FROM withdrawn_restored))),
               FALSE
           )
           OR p.photo_id IN (FROM retried)
           OR coalesce(p.content_sha256 IN (FROM lost_contents), FALSE) AS is_retried
    FROM previous AS p
),
read_before AS (
    SELECT * FROM outcomes
    -- A content that was known from elsewhere when it was read may have left the index since: it is asked for again.
    WHERE $is_last OR is_embedded OR reason <> 'unreadable'
       OR content_sha256 IN (SELECT content_sha256 FROM outcomes WHERE is_embedded)
       OR content_sha256 IN (SELECT content_sha256 FROM previous)
    -- Of two attempts at the same photo the one counts that could read it.
    QUALIFY row_number() OVER (
        PARTITION BY photo_id, uri, size_bytes, modified_at, etag, sidecar_version
        ORDER BY reason IS NOT DISTINCT FROM 'unreadable', is_embedded DESC
    ) = 1
)
SELECT l.position, l.photo_id, l.uri, l.size_bytes, l.modified_at, l.etag,
       l.sidecar_uri,
       -- A sidecar that could not be read is of no known version: it is read again in the next run.
       CASE WHEN o.photo_id IS NULL OR o.sidecar IS NOT NULL THEN l.sidecar_version END AS sidecar_version,
       -- Of a photo that neither a catalog nor the archive itself says anything of today, what was said before stays,
       -- also when another encoder takes over, whose runs have not seen it yet.
       coalesce(l.is_given, FALSE) AS is_given,
       CASE WHEN l.is_given THEN l.published_at ELSE coalesce(p.published_at, w.published_at) END AS published_at,
       CASE WHEN l.is_given THEN l.captured_at ELSE coalesce(p.captured_at, w.captured_at) END AS captured_at,
       CASE WHEN l.is_given THEN l.caption ELSE coalesce(p.caption, w.caption) END AS caption,
       CASE WHEN l.is_given THEN l.credit ELSE coalesce(p.credit, w.credit) END AS credit,
       CASE WHEN l.is_given THEN l.source ELSE coalesce(p.source, w.source) END AS source,
       CASE
           WHEN o.photo_id IS NULL THEN p.sidecar
           -- One that cannot be read today, by itself or with its photo, still says what it said.
           WHEN o.reason = 'unreadable' OR l.sidecar_uri IS NOT NULL THEN coalesce(o.sidecar, p.sidecar)
           ELSE o.sidecar
       END AS sidecar,
       CASE
           WHEN l.photo_id IN (FROM withdrawn_photos) THEN 'retracted'
           WHEN o.photo_id IS NOT NULL THEN 'done'
           WHEN NOT p.is_retried AND ($check = 'none' OR (
                $check = 'stat'
                AND l.uri = p.uri AND l.size_bytes = p.size_bytes AND l.etag IS NOT DISTINCT FROM p.etag
                AND l.sidecar_version IS NOT DISTINCT FROM p.sidecar_version
                AND (l.etag IS NOT NULL OR (l.modified_at = p.modified_at AND l.modified_at < $settled))
           ))
           -- What was withdrawn is a content: a photo that has another one now is read like any other.
           THEN CASE WHEN p.is_withdrawn THEN 'retracted' ELSE 'unchanged' END
           ELSE 'read'
       END AS fate,
       p.photo_id IS NOT NULL AS was_listed,
       CASE WHEN o.photo_id IS NULL THEN p.content_sha256 ELSE o.content_sha256 END AS content_sha256,
       CASE WHEN o.photo_id IS NULL THEN p.reason ELSE o.reason END AS reason,
       CASE WHEN o.photo_id IS NULL THEN p.detail ELSE o.detail END AS detail,
       coalesce(o.is_embedded, FALSE) AS is_embedded,
       p.content_sha256 AS old_content_sha256, given(p) AS old_given
FROM listed AS l
LEFT JOIN known AS p USING (photo_id)
LEFT JOIN words AS w USING (photo_id)
LEFT JOIN read_before AS o ON o.photo_id = l.photo_id
    AND o.uri = l.uri AND o.size_bytes = l.size_bytes
    AND o.modified_at IS NOT DISTINCT FROM l.modified_at AND o.etag IS NOT DISTINCT FROM l.etag
    AND o.sidecar_version IS NOT DISTINCT FROM l.sidecar_version
UNION ALL BY NAME
SELECT (SELECT max(position) FROM listed) + row_number() OVER (ORDER BY p.photo_id) AS position,
       p.* EXCLUDE (is_withdrawn, is_retried),
       'unchanged' AS fate, TRUE AS was_listed, FALSE AS is_embedded, FALSE AS is_given,
       p.content_sha256 AS old_content_sha256, given(p) AS old_given
FROM (
    -- Joined and not asked for by EXISTS and NOT IN, which hold all names of an archive in memory: folders are few.
    SELECT DISTINCT known.* FROM known JOIN unlistable ON starts_with(known.photo_id, value || '/') OR value = '.'
    WHERE NOT known.is_withdrawn
) AS p ANTI JOIN listed USING (photo_id);
