-- The contents that runs of an older version say of a photo beside the one that their inventory names: whatever it holds
-- now, it does not hold all of them. Table: embedded.
SELECT content_sha256, one.photo_id, one.uri FROM (SELECT content_sha256, unnest(occurrences) AS one FROM embedded)
QUALIFY content_sha256 <> min(content_sha256) OVER (PARTITION BY one.photo_id)
