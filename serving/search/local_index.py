"""Opens the local features of one segment: which of them are near to those of a query, and what is kept of a photo."""

import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from foundation.errors import ArtifactRefusedError
from foundation.photos.compressed_features import CompressedFeatures
from foundation.photos.local_features_bytes import unpack_keypoints
from foundation.store.segments import (
    LOCAL_DESCRIPTORS,
    LOCAL_FRAMES,
    LOCAL_KEYPOINTS,
    LOCAL_SCANN,
    LOCAL_STARTS,
    LOCAL_THUMBNAIL_STARTS,
    LOCAL_THUMBNAILS,
    LocalTree,
)
from serving.search.descriptor_index import DescriptorIndex
from serving.search.descriptor_tree import Neighbours
from serving.search.row_reader import RowReader

# SIFT finds nothing of so small a scale, in pixels.
SMALLEST_SCALE = 0.1


class Stored(NamedTuple):
    """What a segment keeps of a photo to verify it with; the thumbnail is a JPEG, empty if none was kept."""

    features: CompressedFeatures
    thumbnail: bytes


class LocalIndex:
    """The local features of one segment, searched by descriptor and fetched by photo."""

    def __init__(self, segment: Path, trees: Sequence[LocalTree] = ()):
        """Opens the files in the directory of a segment, which were verified; hardly anything of them is read.

        `trees` are those that its description names. Raises ArtifactRefusedError if the files do not belong together.
        """
        self._starts = _map(segment / LOCAL_STARTS)
        self._frames = _map(segment / LOCAL_FRAMES)
        self._keypoints = RowReader(segment / LOCAL_KEYPOINTS)
        self._descriptors = _map(segment / LOCAL_DESCRIPTORS)
        self._thumbnail_starts = _map(segment / LOCAL_THUMBNAIL_STARTS)
        self._thumbnails = _map_bytes(segment / LOCAL_THUMBNAILS)
        if not len(self._keypoints.array) == len(self._descriptors) == self._starts[-1]:
            raise ArtifactRefusedError(
                f"the local features of a segment are {len(self._keypoints.array):,} keypoints and "
                f"{len(self._descriptors):,} descriptors, expected {self._starts[-1]:,}; index again"
            )
        self._index = DescriptorIndex.load(segment / LOCAL_SCANN, self._descriptors, trees)

    def load_trees(self) -> None:
        """Loads what searches take from files at first, and from memory once there are many of them."""
        self._index.load_trees()

    @property
    def features(self) -> int:
        """How many features there are; each has a place, by which it is named, and those of a photo follow another."""
        return int(self._starts[-1])

    @property
    def photos(self) -> int:
        """How many rows there are, whether they have features or not."""
        return len(self._starts) - 1

    def neighbours(self, descriptors: np.ndarray, k: int, *, hidden: np.ndarray | None = None) -> Neighbours:
        """Returns the places of the k features that are nearest to each of some descriptors, int8 [queries, 64].

        Those of photos whose rows are `hidden`, bool [photos], are not found.
        """
        hides = None if hidden is None else lambda places: hidden[self.rows(places)]
        return self._index.search(descriptors, k, hides=hides)

    def rows(self, places: np.ndarray) -> np.ndarray:
        """Returns the rows of the photos, int64 [n], that features lie in."""
        return np.searchsorted(self._starts, places, side="right") - 1

    def rows_and_places(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the rows of the photos that features lie in, and the places among those of their photo: int64 [n]."""
        rows = self.rows(places)
        return rows, places - self._starts[rows]

    def packed_keypoints(self, places: np.ndarray | slice) -> np.ndarray:
        """Returns uint16 [n, 4], the keypoints of features as they lie in the file: see `unpack`."""
        # Those of one query lie all over the file, and would bring most of it into memory.
        if isinstance(places, slice) or self._index.is_loaded:
            return self._keypoints.array[places]
        return self._keypoints.take(places)

    def stored(self, row: int) -> Stored | None:
        """Returns what is kept of one photo, None if nothing is; a photo without texture has no features."""
        width, height = self._frames[row].tolist()
        # A segment may be built of shards with features and without; a photo that was encoded without has no frame.
        if not width:
            return None
        features = slice(*self._starts[row : row + 2].tolist())
        start, end = self._thumbnail_starts[row : row + 2].tolist()
        thumbnail = self._thumbnails[start:end]
        descriptors = np.array(self._descriptors[features])
        return Stored(
            CompressedFeatures(width, height, unpack(self.packed_keypoints(features)), descriptors), thumbnail
        )


def unpack(packed: np.ndarray) -> np.ndarray:
    """Returns packed keypoints of an index, uint16 [n, 4], as float32 [n, 4]: see `LocalFeatures`."""
    keypoints = unpack_keypoints(packed)
    # Scales are compared by their logarithms, and a damaged file may hold a scale of 0.
    keypoints[:, 2] = np.maximum(keypoints[:, 2], SMALLEST_SCALE)
    return keypoints


def _map_bytes(path: Path) -> mmap.mmap | bytes:
    """Maps a file, which nobody has to find by its name again; an empty one cannot be mapped."""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""


def _map(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r", allow_pickle=False)
