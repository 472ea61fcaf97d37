"""Groups of segments: what must not be found in them is known of all segments, and they close cleanly."""

from pathlib import Path

import numpy as np
import pytest

from foundation.errors import ArtifactRefusedError
from foundation.store.content_hashes import hash_array
from foundation.store.files import Store
from foundation.store.retractions import RetractedPhoto, add_retraction
from serving.batch import open_segments as module
from serving.batch.described import DescribedSnapshot
from serving.batch.open_segments import OpenSegments, find_gone
from serving.search import followed
from serving.search.hidden import HiddenContents
from tests.builders import add_encoder, content, unit_vectors
from tests.segments import add_numbered, add_segment, held, occurrence, publish_segments

VECTORS = unit_vectors(4, 8)
NOTHING_GONE = np.empty(0, "S32")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store of two contents in each of two segments; a third one says that the photo of content 1 went."""
    store = Store(tmp_path / "store", create=True)
    encoder_id = add_encoder(store, dimension=8)
    segments = [add_numbered(store, encoder_id, f"segment-{first}", (first, first + 1), VECTORS) for first in (0, 2)]
    gone = occurrence("1.jpg", generation=2, is_removed=True)
    publish_segments(store, encoder_id, *segments, add_segment(store, encoder_id, "gone", changes={content(1): [gone]}))
    return store


def nearest(opened: OpenSegments, name: int) -> list[bytes]:
    """Returns the contents that are near to one, the nearest first."""
    found = opened.search(VECTORS[name][None], 4)
    return [bytes(one) for one in found.contents[0][found.similarities[0] > -np.inf]]


def test_what_other_segments_say_to_be_gone_is_not_found(store: Store):
    """The group that holds a content need not hold what says that its photo went."""
    described = DescribedSnapshot.read(store)
    gone = find_gone(store, described)
    assert gone.tolist() == hash_array([content(1)]).tolist()
    with OpenSegments(store, described, [0], gone=gone) as opened:
        assert nearest(opened, 1) == [content(0)]
    with OpenSegments(store, described, [0], gone=NOTHING_GONE) as opened:
        assert nearest(opened, 1)[0] == content(1)


def test_nothing_is_opened_to_find_what_is_gone_where_nothing_went(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Descriptions say whether segments say more than their rows."""
    store = Store(tmp_path / "store", create=True)
    encoder_id = add_encoder(store, dimension=8)
    rows = [held(0, occurrence("0.jpg"))]
    publish_segments(store, encoder_id, add_segment(store, encoder_id, "only", rows))
    monkeypatch.setattr(module, "open_tables", None)
    assert find_gone(store, DescribedSnapshot.read(store)).tolist() == []


def test_what_is_retracted_meanwhile_is_hidden_at_the_next_look(store: Store, monkeypatch: pytest.MonkeyPatch):
    """In open segments, and in what answers are made of."""
    monkeypatch.setattr(followed, "LOOK_SECONDS", 0)
    described = DescribedSnapshot.read(store)
    lists = HiddenContents(store, hash_array([content(1)]))
    with OpenSegments(store, described, [1], gone=NOTHING_GONE) as opened:
        assert nearest(opened, 2)[0] == content(2)
        photo = RetractedPhoto(archive="file:///archive", photo_id="2.jpg", content_sha256=content(2).hex())
        add_retraction(store, [photo], why="asked to")
        opened.refresh()
        lists.refresh()
        assert nearest(opened, 2) == [content(3)]
    assert lists.all().tolist() == sorted(hash_array([content(1), content(2)]).tolist())
    assert lists.shown(content(2), [occurrence("2.jpg")]) == []


def test_files_are_verified_as_it_is_told_to(store: Store):
    """By default a damaged file is refused; whoever has seen the files before may leave that out."""
    described = DescribedSnapshot.read(store)
    path = store.local_root / "segments/segment-0/vectors.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(ArtifactRefusedError, match=r"vectors\.npy"):
        OpenSegments(store, described, [1, 0], gone=NOTHING_GONE)
    told: list[str] = []

    def noted(store: Store, prefix: str, files: object, *, original: str | None = None) -> None:
        told.append(original or prefix)

    with OpenSegments(store, described, [0, 1], gone=NOTHING_GONE, verify=noted):
        assert told == ["segments/segment-0", "segments/segment-2"]
