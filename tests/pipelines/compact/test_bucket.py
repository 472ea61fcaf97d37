"""A compaction in a bucket: segments are copied here, merged, and uploaded."""

import time

from foundation.store.files import Store
from foundation.store.gc import GcOptions, collect_garbage
from foundation.store.segments import SEGMENTS
from pipelines.compact.job import compact_due
from pipelines.index.job import build_index
from serving.search.snapshot import OpenSnapshot
from tests.builders import add_encoder, add_run, content, unit_vectors


def test_four_nights_in_a_bucket_become_one_segment(bucket: str):
    """With its local features; afterwards gc removes what was merged, and it still answers."""
    store = Store(bucket)
    encoder_id = add_encoder(store, dimension=8)
    for number in range(4):
        add_run(store, encoder_id, f"run{number}", unit_vectors(3, 8), prefix=f"{number}-", features="local")
        build_index(store)
    (made,) = compact_due(store).made
    assert (made.rows, made.local.rows) == (12, 12)
    # Times of S3 are whole seconds.
    time.sleep(1.1)
    collect_garbage(store, GcOptions(keep=1, grace_hours=0))
    assert store.directories(SEGMENTS) == [made.segment_id]
    with OpenSnapshot(store) as opened:
        contents = [content(f"{number}-{photo}") for number in range(4) for photo in range(3)]
        (places,) = zip(*opened.places(contents), strict=True)
        assert [len(opened.stored(place).features) for place in places] == [0, 1, 2] * 4
