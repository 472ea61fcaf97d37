-- One row per photo of the listing: what it is after this run, and what became of it, which accounting adds up.
-- Tables: compared, previous.
CREATE OR REPLACE TABLE state AS
WITH now AS (
    SELECT * REPLACE (
        CASE
            WHEN fate = 'retracted' THEN NULL
            -- One that cannot be read today is still what it was yesterday: nobody knows better.
            WHEN reason = 'unreadable' THEN old_content_sha256
            ELSE content_sha256
        END AS content_sha256,
        CASE WHEN fate = 'retracted' THEN 'retracted' ELSE reason END AS reason,
        -- Of a sidecar that was never read no version is known.
        CASE WHEN sidecar IS NOT NULL THEN sidecar_version END AS sidecar_version,
        CASE WHEN fate = 'retracted' THEN 'the photo was withdrawn: see `firstseen retract --list`' ELSE detail END
            AS detail
    )
    FROM compared
),
gone AS (
    SELECT content_sha256, min(photo_id) AS photo_id FROM previous
    WHERE content_sha256 IS NOT NULL AND photo_id NOT IN (SELECT photo_id FROM compared)
    GROUP BY content_sha256
),
-- A name that is new, for a content whose old name is gone: what was known of the photo goes along.
renamed AS (
    SELECT now.photo_id, p.published_at, p.captured_at, p.caption, p.credit, p.source
    FROM now JOIN gone USING (content_sha256) JOIN previous AS p ON p.photo_id = gone.photo_id
    WHERE NOT now.was_listed
),
named AS (
    SELECT now.* REPLACE (
        CASE WHEN is_given THEN now.published_at ELSE coalesce(now.published_at, r.published_at) END AS published_at,
        CASE WHEN is_given THEN now.captured_at ELSE coalesce(now.captured_at, r.captured_at) END AS captured_at,
        CASE WHEN is_given THEN now.caption ELSE coalesce(now.caption, r.caption) END AS caption,
        CASE WHEN is_given THEN now.credit ELSE coalesce(now.credit, r.credit) END AS credit,
        CASE WHEN is_given THEN now.source ELSE coalesce(now.source, r.source) END AS source
    ), r.photo_id IS NOT NULL AS is_renamed
    FROM now LEFT JOIN renamed AS r USING (photo_id)
)
SELECT named.*,
       CASE
           WHEN fate = 'read' THEN 'lost'
           WHEN reason IS NOT NULL THEN 'rejected'
           -- One that was read, and holds what it held, is as unchanged as one that was not.
           WHEN fate = 'unchanged' OR (content_sha256 = old_content_sha256 AND NOT is_embedded) THEN 'unchanged'
           -- Two workers may have embedded the same content.
           WHEN is_embedded AND row_number() OVER (PARTITION BY content_sha256, is_embedded ORDER BY position) = 1
           THEN 'embedded'
           WHEN is_renamed THEN 'renamed'
           ELSE 'duplicate'
       END AS became,
       content_sha256 = old_content_sha256 AND given(named) IS DISTINCT FROM old_given AS is_updated
FROM named;
