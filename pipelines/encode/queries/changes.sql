-- What the last run and the shards of this one say of contents and photos, against what is: where they differ.
-- Tables: state, previous, superseded, outcomes.
WITH said AS (
    SELECT DISTINCT content_sha256, photo_id, uri, given(o) AS given FROM outcomes AS o WHERE is_embedded
    UNION ALL
    SELECT content_sha256, photo_id, uri, given(p) AS given FROM previous AS p
    WHERE content_sha256 IS NOT NULL AND NOT EXISTS (
        FROM outcomes AS o
        WHERE o.is_embedded AND o.photo_id = p.photo_id AND o.content_sha256 = p.content_sha256
    )
    UNION ALL
    SELECT DISTINCT content_sha256, photo_id, uri, NULL AS given FROM superseded
),
holds AS (
    SELECT content_sha256, photo_id, uri, given(s) AS given FROM state AS s WHERE content_sha256 IS NOT NULL
),
changes AS (
    SELECT *, FALSE AS is_removed FROM (FROM holds EXCEPT FROM said)
    UNION ALL
    SELECT *, TRUE AS is_removed FROM (FROM said ANTI JOIN holds USING (content_sha256, photo_id))
)
SELECT content_sha256, photo_id, uri, unnest(given), is_removed FROM changes
ORDER BY content_sha256, photo_id
