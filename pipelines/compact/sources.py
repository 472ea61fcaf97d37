"""Opens what segments are merged from: the tables of a snapshot's segments, and vectors and local features of some."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from foundation.errors import ArtifactRefusedError
from foundation.photos.local_features import FEATURE_RULE
from foundation.store.files import Store
from foundation.store.segments import (
    LOCAL_DESCRIPTORS,
    LOCAL_FILES,
    LOCAL_FRAMES,
    LOCAL_KEYPOINTS,
    LOCAL_STARTS,
    LOCAL_THUMBNAIL_STARTS,
    LOCAL_THUMBNAILS,
)
from pipelines.index.mapped import release
from serving.search.segment import open_vectors, vectors_file
from serving.search.segment_tables import SegmentTables, verified_files


class Source:
    """A segment that is merged: what it says, its vectors, float32 [rows, dimension], and its local features, if any.

    All are mapped from disk.
    """

    def __init__(self, tables: SegmentTables, directory: Path):
        segment = tables.segment
        self.tables = tables
        self.vectors = open_vectors(directory, segment) if segment.rows else np.empty((0, segment.dimension))
        self.local = LocalSource(directory) if segment.local else None

    def has_features(self, rows: np.ndarray) -> np.ndarray:
        """Returns bool [n]: of which rows, int64 [n], local features were kept."""
        return self.local.frames[rows, 0] > 0 if self.local else np.zeros(len(rows), bool)


class LocalSource:
    """The local features of a segment, mapped: the arrays that `foundation.store.segments` describes."""

    def __init__(self, directory: Path):
        self.starts = _map(directory / LOCAL_STARTS)
        self.frames = _map(directory / LOCAL_FRAMES)
        self.keypoints = _map(directory / LOCAL_KEYPOINTS)
        self.descriptors = _map(directory / LOCAL_DESCRIPTORS)
        self.thumbnail_starts = _map(directory / LOCAL_THUMBNAIL_STARTS)
        thumbnails = directory / LOCAL_THUMBNAILS
        # A file without bytes cannot be mapped.
        is_empty = not thumbnails.stat().st_size
        self.thumbnails = np.empty(0, np.uint8) if is_empty else np.memmap(thumbnails, np.uint8, "r")

    def release(self) -> None:
        """Lets go of what was read, which would count as memory."""
        for array in (self.keypoints, self.descriptors, self.thumbnails):
            release(array)


@contextmanager
def open_source(store: Store, tables: SegmentTables) -> Iterator[Source]:
    """Opens the vectors and local features of a segment; raises ArtifactRefusedError for damage."""
    segment = tables.segment
    if segment.local and segment.local.feature_rule != FEATURE_RULE:
        raise ArtifactRefusedError(
            f"segment {segment.segment_id} holds local features made by rule {segment.local.feature_rule}, this "
            f"program builds indexes of those by rule {FEATURE_RULE}; use the version of firstseen that wrote it"
        )
    vectors = {vectors_file(segment)} if segment.rows else set()
    # Trees are built anew, and not even read.
    with verified_files(store, segment, vectors | (LOCAL_FILES if segment.local else frozenset())) as directory:
        yield Source(tables, directory)


def held_anywhere(segments: Sequence[SegmentTables], contents: np.ndarray, *, with_features: bool) -> np.ndarray:
    """Returns bool [contents]: which contents, S32, any of the segments holds, perhaps with local features of all."""
    found = np.zeros(len(contents), bool)
    for one in segments:
        if one.segment.has_all_features or not with_features:
            found |= one.rows_of(contents) >= 0
    return found


def _map(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r", allow_pickle=False)
