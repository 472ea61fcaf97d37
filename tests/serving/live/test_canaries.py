"""A snapshot shows that it finds its own photos before it answers."""

import numpy as np
import pytest

from foundation.errors import ArtifactRefusedError
from foundation.photos.compressed_features import CompressedFeatures, compress
from foundation.photos.local_features import extract
from foundation.photos.thumbnail import shrink_frame
from foundation.store.files import Store
from serving.live import opening
from serving.live.canaries import check_canaries
from serving.live.options import LiveOptions
from serving.search.segment_group import SegmentGroup
from serving.search.snapshot import OpenSnapshot
from tests.builders import add_encoder, unit_vectors
from tests.photos import noise
from tests.segments import add_segment, held, occurrence, publish_segments
from tests.serving.live.conftest import TwoIndexes

PHOTOS = 12


@pytest.fixture(scope="module")
def features() -> list[CompressedFeatures]:
    """Features of as many photos."""
    return [compress(extract(shrink_frame(noise(seed)[:, :, 0], max_side=400))) for seed in range(PHOTOS)]


def opened(folder: object, vectors: np.ndarray, features: list[CompressedFeatures]) -> OpenSnapshot:
    """Opens a store of photos with these vectors and features."""
    store = Store(folder, create=True)
    encoder_id = add_encoder(store)
    rows = [held(number, occurrence(f"{number}.jpg")) for number in range(PHOTOS)]
    segment = add_segment(store, encoder_id, "one", rows, vectors=vectors, features=features)
    publish_segments(store, encoder_id, segment)
    return OpenSnapshot(store)


def check(snapshot: OpenSnapshot, count: int = 8) -> None:
    """Checks with a generator of its own."""
    check_canaries(snapshot, count, np.random.default_rng(0))


def test_sound_snapshots_pass(tmp_path, features: list[CompressedFeatures]):
    """With vectors that differ, with the same one for all photos, and without features."""
    different, same = unit_vectors(PHOTOS, 4), np.tile(unit_vectors(1, 4), (PHOTOS, 1))
    for name, vectors, kept in (("a", different, features), ("b", same, features), ("c", different, [])):
        with opened(tmp_path / name, vectors, kept) as snapshot:
            check(snapshot)


def test_photos_without_vectors_or_features_are_no_reason_to_refuse(tmp_path, features: list[CompressedFeatures]):
    """A broken vector, and a photo without texture, are known to find nothing."""
    vectors = unit_vectors(PHOTOS, 4)
    vectors[::2] = np.nan
    few = [CompressedFeatures(100, 80, one.keypoints[:3], one.descriptors[:3]) for one in features]
    with opened(tmp_path / "store", vectors, few) as snapshot:
        check(snapshot, PHOTOS)


def test_trees_are_loaded_before_anybody_asks(two: TwoIndexes, monkeypatch: pytest.MonkeyPatch):
    """A snapshot that is served answers many queries: none of them waits for what the others need too."""
    done: list[str] = []
    monkeypatch.setattr(SegmentGroup, "load_trees", lambda _: done.append("loaded"))
    monkeypatch.setattr(opening, "check_canaries", lambda *_: done.append("canaries"))
    opening.open_loaded(two.store, None, LiveOptions()).close()
    assert done == ["loaded", "canaries"]


def test_an_empty_snapshot_passes(tmp_path):
    """It answers, and finds nothing."""
    store = Store(tmp_path / "store", create=True)
    publish_segments(store, add_encoder(store))
    with OpenSnapshot(store) as snapshot:
        check(snapshot)


def test_an_index_that_votes_for_others_is_refused(tmp_path, features, monkeypatch: pytest.MonkeyPatch):
    """The reason says what was not found, and how often."""
    with opened(tmp_path / "store", unit_vectors(PHOTOS, 4), features) as snapshot:
        monkeypatch.setattr(snapshot, "voted", lambda *_: [])
        with pytest.raises(ArtifactRefusedError, match=r"0 of 8 photos drawn .* by their own features; expected 50%"):
            check(snapshot)
        check(snapshot, 0)
