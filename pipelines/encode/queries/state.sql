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
        -- A sidecar that could not be read is of no known version: it is read again in the next run.
        CASE WHEN sidecar IS NOT NULL THEN sidecar_version END AS sidecar_version,
        CASE WHEN fate = 'retracted' THEN 'the photo was withdrawn: see `firstseen retract --list`' ELSE detail END
            AS detail
    )
    FROM compared
),
gone AS (
    SELECT DISTINCT content_sha256 FROM previous
    WHERE content_sha256 IS NOT NULL AND photo_id NOT IN (SELECT photo_id FROM compared)
)
SELECT now.*,
       CASE
           WHEN fate = 'read' THEN 'lost'
           WHEN reason IS NOT NULL THEN 'rejected'
           -- One that was read, and holds what it held, is as unchanged as one that was not.
           WHEN fate = 'unchanged' OR (content_sha256 = old_content_sha256 AND NOT is_embedded) THEN 'unchanged'
           -- Two workers may have embedded the same content.
           WHEN is_embedded AND row_number() OVER (PARTITION BY content_sha256, is_embedded ORDER BY position) = 1
           THEN 'embedded'
           -- A name that is new, for a content whose old name is gone.
           WHEN NOT was_listed AND content_sha256 IN (FROM gone) THEN 'renamed'
           ELSE 'duplicate'
       END AS became,
       content_sha256 = old_content_sha256 AND given(now) IS DISTINCT FROM old_given AS is_updated
FROM now;
