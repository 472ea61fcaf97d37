-- The inventory that the runs of an older version would have written of their archive: what its last listing says of
-- every photo, with the content that the shards say. Tables: listed, embedded.
WITH held AS (
    SELECT one.photo_id, any_value(one.uri) AS uri, min(content_sha256) AS content_sha256,
           count(DISTINCT content_sha256) AS contents
    FROM (SELECT content_sha256, unnest(occurrences) AS one FROM embedded)
    GROUP BY one.photo_id
)
SELECT photo_id, coalesce(listed.uri, held.uri) AS uri,
       -- Of several contents any may be the last: no listing agrees with this size, and the photo is read again.
       CASE WHEN contents = 1 THEN coalesce(size_bytes, -1) ELSE -2 END AS size_bytes,
       modified_at, etag, sidecar_uri, sidecar_version, published_at, captured_at, caption, credit, source, sidecar,
       held.content_sha256,
       CASE WHEN held.content_sha256 IS NULL THEN 'unreadable' END AS reason, NULL AS detail
FROM listed FULL JOIN held USING (photo_id)
