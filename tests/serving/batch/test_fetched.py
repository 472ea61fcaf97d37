"""What is fetched from a group of segments: all that a chunk wants of it, however many chunks are told together."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from foundation.store.content_hashes import hash_array
from foundation.store.files import Store
from serving.batch.described import DescribedSnapshot
from serving.batch.fetched import Fetched, fetch, merge_fetched
from serving.batch.open_segments import OpenSegments
from serving.batch.prefixes import prefixes_of
from serving.batch.told import tell
from serving.batch.wanted import Wanted
from serving.search import segment_tables
from serving.search.local_candidates import LocalCandidate
from serving.search.local_index import Stored
from serving.search.snapshot import Place
from tests.builders import add_encoder, content, day, unit_vectors
from tests.segments import add_segment, held, occurrence, publish_segments
from tests.serving.search.local_segments import features_of, picture

VECTORS = unit_vectors(3, 8)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenSegments]:
    """Two segments: three photos with local features, and a later publication of one of them."""
    store = Store(tmp_path / "store", create=True)
    encoder_id = add_encoder(store, dimension=8)
    rows = [held(name, occurrence(f"{name}.jpg", published_at=day(name)), captured_at=day(9)) for name in range(3)]
    kept = features_of([picture(seed) for seed in range(3)])
    first = add_segment(store, encoder_id, "a", rows, vectors=VECTORS, features=kept, thumbnails=[b"0", b"1", b"2"])
    later = add_segment(store, encoder_id, "b", changes={content(1): [occurrence("x.jpg", published_at=day(5))]})
    publish_segments(store, encoder_id, first, later)
    with OpenSegments(store, DescribedSnapshot.read(store), [0, 1], gone=np.empty(0, "S32")) as opened:
        yield opened


def row_of(name: int) -> int:
    """Returns the row of a content among three: rows are in the order of their hashes."""
    return sorted(map(content, range(3))).index(content(name))


def wanted(*, compared: list[int], told: list[int], voted: list[int]) -> Wanted:
    """Returns that some contents are wanted, and the vectors of some photos."""
    votes = [LocalCandidate(0, row_of(name), 0, 1.0) for name in voted]
    hashes = [np.unique(prefixes_of(hash_array(map(content, names)))) for names in (compared, told)]
    return Wanted({}, {0: votes}, *hashes)


def same(one: Fetched, other: Fetched) -> bool:
    """Returns whether the same was fetched, to the last bit."""
    arrays = [
        {place: vector.tobytes() for place, vector in each.vectors.items()}
        | {(place, "stored"): _bytes_of(stored) for place, stored in each.stored.items()}
        for each in (one, other)
    ]
    return (one.photos, one.said, arrays[0]) == (other.photos, other.said, arrays[1])


def _bytes_of(stored: Stored) -> tuple[int, int, bytes, bytes, bytes]:
    features = stored.features
    return (
        features.width,
        features.height,
        features.keypoints.tobytes(),
        features.descriptors.tobytes(),
        stored.thumbnail,
    )


def test_what_is_compared_comes_whole_and_the_rest_as_far_as_it_is_told(opened: OpenSegments, tmp_path: Path):
    """Features and thumbnails of what is compared, vectors of what has votes, occurrences by segment of all of it."""
    found = fetch(opened, wanted(compared=[1], told=[2], voted=[1]))
    one, two = Place(0, row_of(1)), Place(0, row_of(2))
    assert set(found.photos) == set(found.stored) == {one, two}
    assert (found.photos[one]["captured_at"], found.photos[one]["content_sha256"]) == (day(9), content(1))
    assert (len(found.stored[one].features) > 0, found.stored[one].thumbnail) == (True, b"1")
    assert (len(found.stored[two].features), found.stored[two].thumbnail) == (0, b"")
    assert list(found.vectors) == [one]
    said = {key: [each.photo_id for each in some] for key, some in found.said.items()}
    assert said == {(0, content(1)): ["1.jpg"], (0, content(2)): ["2.jpg"], (1, content(1)): ["x.jpg"]}
    found.write(tmp_path / "fetched")
    assert same(Fetched.read(tmp_path / "fetched"), found)


def test_tables_are_read_once_for_several_chunks(opened: OpenSegments, monkeypatch: pytest.MonkeyPatch):
    """Each chunk has the same as by itself, and no row is read again for it."""
    chunks = [wanted(compared=[1], told=[2], voted=[1]), wanted(compared=[0, 1], told=[], voted=[])]
    alone = [fetch(opened, one) for one in chunks]
    told = tell(opened, chunks)
    monkeypatch.setattr(segment_tables.SegmentTables, "photo", None)
    monkeypatch.setattr(segment_tables.SegmentTables, "occurrences", None)
    together = [fetch(opened, one, told) for one in chunks]
    assert all(map(same, together, alone))
    assert set(merge_fetched(together).photos) == {Place(0, row) for row in range(3)}
