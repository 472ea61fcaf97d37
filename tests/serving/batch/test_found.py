"""What groups of segments hold near the queries of a chunk, merged."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from foundation.photos.compressed_features import compress
from foundation.photos.local_features import extract
from serving.batch.found import Found, merge_found
from serving.search.local_index import LocalIndex
from serving.search.near_features import SearchedSegment, near_features
from tests.serving.search.local_segments import features_of, picture, write_local


def found_in(segments: Sequence[SearchedSegment], descriptors: np.ndarray) -> Found:
    """Returns what is near to two queries that share some features; prefixes say where each of the near ones lies."""
    near = near_features(segments, descriptors)
    counts = np.array([10, len(descriptors) - 10], np.int64)
    return Found(3, None, counts, near, near.features.astype(np.uint32))


def test_groups_are_merged_in_any_order(tmp_path: Path):
    """What they have near, merged in whatever order, is what all of them have together, equally near ones included."""
    photos = features_of([picture(seed) for seed in range(6)])
    # The same photos lie in all of them: everything near is equally near.
    segments = [
        SearchedSegment(number, LocalIndex(write_local(tmp_path / str(number), photos[number % 3 :])))
        for number in range(5)
    ]
    asked = compress(extract(picture(4)[10:150, 20:200], most=300)).descriptors
    whole = found_in(segments, asked)
    one, two, three = (found_in([segments[number] for number in group], asked) for group in [(0, 3), (1, 4), (2,)])
    for merged in (merge_found([merge_found([three, one]), two]), merge_found([two, three, one])):
        assert (merged.k, merged.near, merged.counts.tolist()) == (3, None, whole.counts.tolist())
        for array, expected in zip((*merged.features, merged.prefixes), (*whole.features, whole.prefixes), strict=True):
            np.testing.assert_array_equal(array, expected)
