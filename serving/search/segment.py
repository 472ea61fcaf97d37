"""Opens one segment read-only: vectors in, rows out; rows in, photos out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from foundation.errors import ArtifactRefusedError
from foundation.photos.local_features import FEATURE_RULE
from foundation.store.checked import verify_once
from foundation.store.files import Store
from foundation.store.segments import (
    LOCAL_FILES,
    LOCAL_SCANN,
    SCANN,
    SCANN_VECTORS,
    TREE_FILES,
    TREE_ORDER,
    VECTORS,
    SearchParameters,
    Segment,
    segment_directory,
)
from serving.search.exact_index import ExactIndex
from serving.search.local_index import LocalIndex
from serving.search.merge import Nearest
from serving.search.scann_index import ScannIndex
from serving.search.segment_tables import SegmentTables, table_files


class Index(Protocol):
    """Finds neighbours among the vectors of one segment."""

    def search(
        self, vectors: np.ndarray, k: int, parameters: SearchParameters, hidden: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """float32 [queries, dimension] → (rows int64 [queries, k], similarities float32 [queries, k]), best first.

        With fewer neighbours there are fewer columns, or rows of -1. Those that are `hidden`, bool [rows], are not
        found.
        """


@contextmanager
def open_segment(
    store: Store, segment: Segment, *, verify: Callable[..., Any] = verify_once
) -> Iterator["OpenSegment"]:
    """Opens one segment alone, after checking every file that it lists; a bucket's files are copied to this machine.

    `verify` checks them; by default those that this user has checked lately, and that did not change, are not read.

    Raises ArtifactRefusedError if a file differs from its digest, is not listed, or holds other vectors than described,
    and for local features of another rule than this program's.
    """
    prefix = segment_directory(segment.segment_id)
    if segment.local and segment.local.feature_rule != FEATURE_RULE:
        raise ArtifactRefusedError(
            f"{prefix} holds local features made by rule {segment.local.feature_rule}, this program makes those of "
            f"queries by rule {FEATURE_RULE}; use the version of firstseen that indexed it, or encode again"
        )
    with store.local_copy(prefix, list(segment.files)) as directory:
        verify(Store(directory), ".", segment.files, original=prefix)
        if missing := required_files(segment) - set(segment.files):
            raise ArtifactRefusedError(f"{prefix}/segment.json does not list {sorted(missing)}; index again")
        if unlisted := unlisted_files(directory, segment):
            raise ArtifactRefusedError(f"{prefix} holds files that segment.json does not list: {unlisted}; remove them")
        yield OpenSegment(directory, segment)


class OpenSegment(SegmentTables):
    """A segment whose files were checked: search by vector, find by content, fetch photos and vectors by row.

    `local` are its photos' local features, None if none were kept.
    """

    def __init__(self, directory: Path, segment: Segment):
        super().__init__(directory, segment)
        self.local = _open_local(directory, segment)
        self._vectors = np.empty((0, segment.dimension), np.float32)
        if segment.rows:
            self._open_rows(directory)

    def _open_rows(self, directory: Path) -> None:
        segment = self.segment
        self._vectors = open_vectors(directory, segment)
        self._index: Index = (
            ExactIndex(self._vectors, distance=segment.distance)
            if segment.kind == "exact"
            else ScannIndex.load(directory, segment, self._vectors)
        )

    def search(self, vectors: np.ndarray, k: int, *, hidden: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Returns rows and similarities as an Index does, searched with the parameters whose recall was measured."""
        return self._index.search(vectors, k, self.segment.parameters, hidden)

    def nearest(self, vectors: np.ndarray, k: int, *, hidden: np.ndarray | None = None) -> Nearest:
        """Returns the contents that are nearest to float32 [queries, dimension], but for `hidden` rows, bool [rows]."""
        if not self.segment.rows:
            return Nearest(np.empty((len(vectors), 0), np.float32), np.empty((len(vectors), 0), "S32"))
        # A missing neighbour, row -1, gets some content, for an array has no holes; its similarity says it is none.
        rows, similarities = self.search(vectors, k, hidden=hidden)
        return Nearest(np.where(rows < 0, -np.inf, similarities), self.contents(np.maximum(rows, 0)))

    def shown(self, hidden: np.ndarray | None) -> np.ndarray:
        """Returns the rows that are not hidden, int64 ascending; `hidden` is bool [rows], or None for none."""
        return np.arange(self.segment.rows) if hidden is None else np.flatnonzero(~hidden)

    def vector(self, row: int) -> np.ndarray:
        """Returns the vector that a photo is found by: float32 [dimension]."""
        return self._vectors[row]


def required_files(segment: Segment) -> set[str]:
    """Returns the files that are opened by name: each must be listed, so that nothing unchecked is read."""
    search = {f"{SCANN}/scann_assets.pbtxt"} if segment.kind == "scann" else set()
    local = LOCAL_FILES if segment.local else frozenset()
    trees = [f"{LOCAL_SCANN}/{number:04d}" for number in range(len(segment.local.trees) if segment.local else 0)]
    roots = {f"{tree}/scann_assets.pbtxt" for tree in trees}
    # Those of earlier versions have none of these files.
    scanned = {f"{tree}/{name}" for tree in trees for name in TREE_FILES if f"{tree}/{TREE_ORDER}" in segment.files}
    vectors = {vectors_file(segment)} if segment.rows else set()
    return {*table_files(segment), *vectors, *search, *local, *roots, *scanned}


def unlisted_files(directory: Path, segment: Segment) -> list[str]:
    """Returns the files of ScaNN's directories that segment.json does not list: its loader would unpickle one."""
    folders = [directory / name for name in (SCANN, LOCAL_SCANN)]
    found = [str(path.relative_to(directory)) for folder in folders for path in folder.rglob("*") if path.is_file()]
    return sorted(name for name in found if name not in segment.files)


def _open_local(directory: Path, segment: Segment) -> LocalIndex | None:
    """Opens the local features; raises ArtifactRefusedError if they are others than the description counts."""
    if not segment.local:
        return None
    found = LocalIndex(directory, segment.local.trees)
    if (found.photos, found.features) != (segment.rows, segment.local.features):
        raise ArtifactRefusedError(
            f"segment {segment.segment_id} holds {found.features:,} local features of {found.photos:,} rows, its "
            f"description counts {segment.local.features:,} of {segment.rows:,}; index again"
        )
    return found


def vectors_file(segment: Segment) -> str:
    """Returns which file of a segment holds its vectors."""
    # A segment of versions 1 and 2 with a tree has them among ScaNN's files.
    return SCANN_VECTORS if SCANN_VECTORS in segment.files else VECTORS


def open_vectors(directory: Path, segment: Segment) -> np.ndarray:
    """Maps the vectors, float32 [rows, dimension], into memory: only those that are asked for are read."""
    name, expected = vectors_file(segment), (segment.rows, segment.dimension)
    vectors = np.load(directory / name, mmap_mode="r", allow_pickle=False)
    if vectors.dtype != np.float32 or vectors.shape != expected:
        raise ArtifactRefusedError(
            f"{name} of segment {segment.segment_id} holds {vectors.dtype} {list(vectors.shape)}, expected float32 "
            f"{list(expected)}; index again"
        )
    return vectors
