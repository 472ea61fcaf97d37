"""Makes a store whose segments are of every kind, and queries that find something in each of them."""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from foundation.archives.photos import UnreadablePhotoError
from foundation.encoder import SavedEncoder, load
from foundation.photos.compressed_features import CompressedFeatures, compress
from foundation.photos.local_features import LONGEST_SIDE, extract
from foundation.photos.thumbnail import encode_thumbnail, shrink_frame
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence
from foundation.store.segments import SegmentReference
from serving.match.query import Query
from tests.builders import day
from tests.photos import jpeg
from tests.photos import scene as smooth_scene
from tests.segments import add_segment, held, occurrence, publish_segments
from tests.serving.match.pictures import scene, turned

WIDTH, HEIGHT = 300, 225
SEGMENTS = 5


def colour(seed: int) -> np.ndarray:
    """Returns the picture of that number, uint8 [HEIGHT, WIDTH, 3].

    That of 11 is one flat colour, and that of 13 carries that of 2 as a placard.
    """
    if seed == 11:
        return np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    return with_placard(seed) if seed == 13 else scene(seed, WIDTH, HEIGHT)


def with_placard(seed: int) -> np.ndarray:
    """Returns a picture that carries photo 2 in its upper half, uint8 [HEIGHT, WIDTH, 3]."""
    carrying = scene(seed, WIDTH, HEIGHT)
    carrying[:150, :200] = cv2.resize(colour(2), (200, 150), interpolation=cv2.INTER_AREA)
    return carrying


def photo(seed: int) -> bytes:
    """Returns the file of a photo of the archive."""
    return jpeg(colour(seed))


def content_of(seed: int) -> bytes:
    """Returns the content hash of a photo of the archive, 32 bytes."""
    return hashlib.sha256(photo(seed)).digest()


def _features(seed: int) -> CompressedFeatures:
    return compress(extract(cv2.cvtColor(shrink_frame(colour(seed), max_side=LONGEST_SIDE), cv2.COLOR_RGB2GRAY)))


def _row(name: str, seed: int, content: bytes) -> dict[str, Any]:
    published = occurrence(f"{name}-{seed}.jpg", published_at=day(100 + seed))
    return held(seed, published, content_sha256=content, width=WIDTH, height=HEIGHT)


NOT_KEPT = CompressedFeatures(0, 0, np.empty((0, 4), np.float32), np.empty((0, 64), np.int8))


class MixedArchive:
    """Writes segments of photos by their numbers, with the vectors that an encoder gives them."""

    def __init__(self, store: Store, encoder_id: str):
        self.store = store
        self.encoder_id = encoder_id
        self._encoder: SavedEncoder = load(store, encoder_id)

    def add(
        self,
        name: str,
        seeds: Sequence[int],
        *,
        features: bool = True,
        without: Sequence[int] = (),
        twins: Sequence[int] = (),
        changes: dict[bytes, list[Occurrence]] | None = None,
    ) -> SegmentReference:
        """Writes a segment; of photos `without` no features are kept, though the segment has some.

        `twins` are other contents with the same picture, whose hashes begin as those of these photos do, and end in
        zeros.
        """
        contents = [content_of(seed) for seed in seeds] + [content_of(seed)[:4] + bytes(28) for seed in twins]
        shown = [*seeds, *twins]
        kept = [seed not in without and features for seed in shown]
        return add_segment(
            self.store,
            self.encoder_id,
            name,
            [_row(name, seed, content) for seed, content in zip(shown, contents, strict=True)],
            changes=changes,
            vectors=self._vectors(shown),
            features=[_features(seed) if is_kept else NOT_KEPT for seed, is_kept in zip(shown, kept, strict=True)]
            if features
            else (),
            thumbnails=[
                encode_thumbnail(colour(seed)) if is_kept else b"" for seed, is_kept in zip(shown, kept, strict=True)
            ],
        )

    def _vectors(self, seeds: Sequence[int]) -> np.ndarray:
        size = self._encoder.spec.size
        squares = [cv2.resize(colour(seed), (size, size), interpolation=cv2.INTER_AREA) for seed in seeds]
        shape = (0, self._encoder.spec.dimension)
        return self._encoder.encode(np.stack(squares)) if squares else np.empty(shape, np.float32)


def write_mixed(encoder_store: Path, folder: Path, encoder_id: str) -> Store:
    """Publishes segments with features and without, with photos of others, of changes alone, and with a flat photo."""
    store = Store(shutil.copytree(encoder_store, folder))
    archive = MixedArchive(store, encoder_id)
    gone = [occurrence("third-9.jpg", generation=2, is_removed=True)]
    earlier = [occurrence("other.jpg", "file:///other", published_at=day(3), caption="earlier")]
    corrected = [occurrence("first-2.jpg", published_at=day(50))]
    said = {content_of(9): gone, content_of(3): earlier, content_of(2): corrected}
    publish_segments(
        store,
        encoder_id,
        archive.add("first", [0, 1, 2, 3, 4]),
        archive.add("second", [5, 6, 7, 8], features=False),
        archive.add("third", [4, 5, 9, 10], without=[10]),
        archive.add("fourth", [], features=False, changes=said),
        archive.add("fifth", [0, 11, 12, 13], twins=[1], changes={content_of(12): earlier}),
    )
    return store


def _gone() -> bytes:
    raise UnreadablePhotoError("gone.jpg cannot be read: gone")


def _small(picture: np.ndarray, page: np.ndarray) -> np.ndarray:
    shown = cv2.resize(picture, (110, 82), interpolation=cv2.INTER_AREA)
    page = page.copy()
    page[30:112, 40:150] = shown
    return page


def queries() -> list[Query]:
    """Returns queries of every kind: the same bytes, copies, strangers, and what is no photo."""
    page = cv2.resize(scene(50), (640, 480))
    data: dict[str, bytes | Callable[[], bytes]] = {
        "same": photo(0),
        "same in two": photo(4),
        "same without features": photo(6),
        "same but gone": photo(9),
        "same and flat": photo(11),
        "saved again": jpeg(colour(3), quality=60),
        "cropped": jpeg(colour(1)[40:200, 50:260], quality=85),
        "mirrored": jpeg(np.ascontiguousarray(colour(2)[:, ::-1]), quality=85),
        "negative": jpeg(255 - colour(4), quality=85),
        "turned": jpeg(turned(colour(5), 20), quality=85),
        "missing": _gone,
        "two beside each other": jpeg(np.concatenate([colour(0), colour(12)], axis=1), quality=85),
        "small in a page": jpeg(_small(colour(12), page), quality=85),
        "blurred": jpeg(cv2.GaussianBlur(colour(3), (0, 0), 4), quality=85),
        "gone": jpeg(colour(9), quality=70),
        "kept without features": jpeg(colour(10), quality=70),
        "in a segment without features": jpeg(colour(7), quality=70),
        "stranger": jpeg(scene(99, WIDTH, HEIGHT)),
        "simple": jpeg(smooth_scene(7)),
        "blank": jpeg(np.full((HEIGHT, WIDTH, 3), 200, np.uint8)),
        "no photo": b"<html>",
    }
    return [Query(name, one if callable(one) else (lambda one=one: one)) for name, one in data.items()]
