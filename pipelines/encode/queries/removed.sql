-- The photos that could be found after the last run and are listed no more. Tables: previous, compared.
SELECT photo_id, content_sha256 FROM previous
WHERE content_sha256 IS NOT NULL AND photo_id NOT IN (SELECT photo_id FROM compared)
