-- What the last run and the shards of this one say of contents and photos, against what is: where they differ.
-- Tables: state, previous, superseded, outcomes, and the column lost_contents: of those nobody knows any more what the
-- last run said, since a compaction dropped it with the vector, and all is said anew.
WITH said AS (
    SELECT DISTINCT content_sha256, photo_id, uri, given(o) AS given, FALSE AS is_lost
    FROM outcomes AS o WHERE is_embedded
    UNION ALL
    SELECT content_sha256, photo_id, uri, given(p) AS given, content_sha256 IN (FROM lost_contents) AS is_lost
    FROM previous AS p
    WHERE content_sha256 IS NOT NULL AND NOT EXISTS (
        FROM outcomes AS o
        WHERE o.is_embedded AND o.photo_id = p.photo_id AND o.content_sha256 = p.content_sha256
    )
    UNION ALL
    SELECT DISTINCT content_sha256, photo_id, uri, NULL AS given, FALSE AS is_lost FROM superseded
),
holds AS (
    SELECT content_sha256, photo_id, uri, given(s) AS given FROM state AS s WHERE content_sha256 IS NOT NULL
),
changes AS (
    SELECT *, FALSE AS is_removed
    FROM (FROM holds EXCEPT SELECT content_sha256, photo_id, uri, given FROM said WHERE NOT is_lost)
    UNION ALL
    SELECT * EXCLUDE (is_lost), TRUE AS is_removed FROM (FROM said ANTI JOIN holds USING (content_sha256, photo_id))
)
SELECT content_sha256, photo_id, uri, unnest(given), is_removed FROM changes
ORDER BY content_sha256, photo_id
