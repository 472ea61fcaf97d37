"""Fixtures of the engine's tests: a store with two indexes that answer the same query differently."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from foundation.store.files import Store
from foundation.store.segments import SEGMENTS, VECTORS, SegmentReference, segment_directory
from foundation.store.snapshots import Snapshot, read_snapshot
from pipelines.encode.job import encode
from pipelines.encode.plan import EncodeOptions
from pipelines.index.job import build_index
from serving.answers import Answer
from serving.live.held import Held
from serving.live.options import LiveOptions
from serving.match.options import MatchOptions
from serving.match.query import Query
from tests.conftest import Desk
from tests.photos import jpeg
from tests.segments import publish_segments

# The store is looked at when a test says so, or all the time.
SELDOM = LiveOptions(snapshot_poll_seconds=3_600)
OFTEN = LiveOptions(snapshot_poll_seconds=0.05)


# The nearest photo of an index, whether it is a copy or not.
NEAREST = MatchOptions(similar=True, top_k=1, effort="fast")


def nearest(held: Held, data: bytes) -> Answer:
    """Returns the nearest photo of the held snapshot."""
    (answer,) = held.answers(held.submit(from_bytes(data), NEAREST).result(timeout=60), NEAREST)
    return answer


def from_bytes(data: bytes, name: str = "bytes") -> Query:
    """Returns a query of some bytes."""
    return Query(name, lambda: data)


def eventually(is_so: Callable[[], bool]) -> None:
    """Waits until something is so."""
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


@dataclass(frozen=True)
class TwoIndexes:
    """A store with two segments of ten photos each, of two archives; the first is published, and has `photos`.

    The second archive has the same photos with other bytes: what is near is in either, and never the same.
    """

    store: Store
    encoder_id: str
    segments: tuple[SegmentReference, SegmentReference]
    archives: tuple[str, str]
    photos: list[bytes]

    def publish(self, number: int) -> Snapshot:
        """Makes one of both segments live, alone."""
        return publish_segments(self.store, self.encoder_id, self.segments[number])


@pytest.fixture(scope="session")
def both_indexes(live_desk: Desk, encoder_store: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A store with the index of another archive, the archive, and beside them the desk's store with both indexes."""
    folder = tmp_path_factory.mktemp("both")
    shutil.copytree(live_desk.archive, folder / "other")
    for path in (folder / "other").rglob("*.jpg"):
        path.write_bytes(jpeg(np.asarray(Image.open(path)), quality=60))
    shutil.copytree(encoder_store, folder / "second")
    encode(EncodeOptions(archive=str(folder / "other"), store=str(folder / "second")))
    build_index(Store(folder / "second"))
    shutil.copytree(live_desk.store, folder / "store")
    shutil.copytree(folder / "second" / SEGMENTS, folder / "store" / SEGMENTS, dirs_exist_ok=True)
    return folder / "second", folder / "other"


@pytest.fixture
def two(both_indexes: tuple[Path, Path], live_desk: Desk, tmp_path: Path, only_encoder: Callable) -> TwoIndexes:
    """The store of the test's own, whose live snapshot has the first index alone."""
    (first,), (second,) = (read_snapshot(Store(path)).segments for path in (live_desk.store, both_indexes[0]))
    store = Store(shutil.copytree(both_indexes[0].parent / "store", tmp_path / "two"))
    photos = [path.read_bytes() for path in sorted(live_desk.archive.rglob("*.jpg"))]
    archives = (live_desk.archive.as_uri(), both_indexes[1].as_uri())
    made = TwoIndexes(store, only_encoder(store), (first, second), archives, photos)
    made.publish(0)
    return made


def damage(two: TwoIndexes, number: int) -> tuple[Path, bytes]:
    """Flips a bit of one of both segments; returns the file, and what it was."""
    path = Path(two.store.local_root or "", segment_directory(two.segments[number].segment_id), VECTORS)
    sound = path.read_bytes()
    path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    return path, sound
