"""What opening a segment takes, by its description."""

import pytest

from foundation.errors import UsageError
from foundation.store.artifact import FileRecord
from foundation.store.segments import Segment
from pipelines.lookup.memory import FIXED_BYTES, bytes_to_open, require_room
from tests import builders

MB = 1_000_000


def segment(rows: int, **sizes: int) -> Segment:
    """Returns a segment whose files have these sizes; underscores stand for what a name has there."""
    names = {"photos": "photos.parquet", "hashes": "content_hashes.npy", "vectors": "vectors.npy"}
    names |= {"tree": "scann/hashed_dataset.npy", "dataset": "scann/dataset.npy"}
    files = {names[name]: FileRecord(size, "0" * 64) for name, size in sizes.items()}
    return builders.segment(rows=rows, files=files)


def test_what_every_search_reads_counts() -> None:
    """Vectors without a tree, a tree instead of the vectors that ScaNN keeps beside it, and a bounded photo table."""
    assert bytes_to_open(segment(10, vectors=100 * MB, hashes=MB)) == 101 * MB + 20
    assert bytes_to_open(segment(0, tree=100 * MB, dataset=900 * MB)) == 120 * MB
    assert bytes_to_open(segment(0, photos=MB)) == 3 * MB
    assert bytes_to_open(segment(0, photos=900 * MB)) == 64 * MB


def test_a_segment_without_room_is_refused() -> None:
    """The error names it, both numbers, and what helps."""
    fits = segment(0, vectors=100 * MB)
    require_room([fits], FIXED_BYTES + 100 * MB)
    with pytest.raises(
        UsageError, match=r"segments/segment takes about 900 MB of memory .* limit is 899 MB per worker"
    ):
        require_room([fits], FIXED_BYTES + 99 * MB)
