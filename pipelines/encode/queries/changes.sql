-- What the last run and the shards of this one say of contents and photos, against what is: where they differ.
-- Tables: state, previous, outcomes.
WITH said AS (
    SELECT DISTINCT content_sha256, photo_id, uri, published_at, caption, credit, source
    FROM outcomes WHERE is_embedded
    UNION ALL
    SELECT content_sha256, photo_id, uri, published_at, caption, credit, source
    FROM previous AS p
    WHERE content_sha256 IS NOT NULL AND NOT EXISTS (
        FROM outcomes AS o
        WHERE o.is_embedded AND o.photo_id = p.photo_id AND o.content_sha256 = p.content_sha256
    )
),
holds AS (
    SELECT content_sha256, photo_id, uri, published_at, caption, credit, source
    FROM state WHERE content_sha256 IS NOT NULL
)
SELECT *, FALSE AS is_removed FROM (FROM holds EXCEPT FROM said)
UNION ALL
SELECT *, TRUE AS is_removed FROM (FROM said ANTI JOIN holds USING (content_sha256, photo_id))
ORDER BY content_sha256, photo_id
