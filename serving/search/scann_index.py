"""Searches a ScaNN tree on all cores: a batch of vectors in, rows and similarities out."""

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from foundation.store.segments import SCANN, SCANN_VECTORS, SearchParameters, Segment
from foundation.vectors import from_squared_distance, nearest, similarity
from serving.search.shown import shown_neighbours

# Vectors that one thread searches at a time, at least: handing over fewer costs more than it saves.
FEWEST_PER_THREAD = 8


class ScannIndex:
    """A ScaNN tree in memory, built or loaded; it is searched on `threads` cores, all of them by default.

    `searcher` is ScaNN's own, of `rows` vectors, which it measures by dot product for the distance `cosine` and by
    squared length for `euclidean`. `vectors`, float32 [rows, dimension], perhaps mapped from disk, score the candidates
    exactly; without them ScaNN does, which then holds a copy of all of them in memory.
    """

    def __init__(
        self,
        searcher: Any,
        *,
        distance: str,
        rows: int,
        vectors: np.ndarray | None = None,
        threads: int | None = None,
    ):
        self._searcher = searcher
        self._distance = distance
        self._rows = rows
        # Single rows of a plain array are taken much faster than those of NumPy's class for mapped ones.
        self._vectors = None if vectors is None else np.asarray(vectors)
        self.threads = threads or os.cpu_count() or 1
        searcher.set_num_threads(self.threads)

    @classmethod
    def load(cls, directory: Path, segment: Segment, vectors: np.ndarray) -> "ScannIndex":
        """Loads the index of a segment whose files lie in `directory`, verified: ScaNN notices no flipped bit."""
        # Segments of versions 1 and 2 have their vectors in ScaNN's files, which it reads and re-scores with.
        scored = None if SCANN_VECTORS in segment.files else vectors
        return cls(load_searcher(directory / SCANN), distance=segment.distance, rows=segment.rows, vectors=scored)

    def search(
        self, vectors: np.ndarray, k: int, parameters: SearchParameters, hidden: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """float32 [queries, dimension] → (rows int64 [queries, k], similarities float32 [queries, k]), best first.

        With fewer than k rows there are fewer columns; where fewer neighbours are found, rows of -1. Rows that are
        `hidden`, bool [rows], are not found.
        """
        if hidden is None:
            return self._search(vectors, k, parameters)
        most = min(self._rows, k + int(np.count_nonzero(hidden)))
        return shown_neighbours(
            lambda some, asked: self._search(some, asked, parameters), vectors, k, hides=hidden.__getitem__, most=most
        )

    def _search(self, vectors: np.ndarray, k: int, parameters: SearchParameters) -> tuple[np.ndarray, np.ndarray]:
        vectors = np.ascontiguousarray(vectors, np.float32)
        k = min(k, self._rows)
        if self._vectors is None:
            return self._candidates(vectors, k, parameters)
        rows, _ = self._candidates(vectors, min(self._rows, max(parameters.reorder, k)), parameters)
        return rescored(vectors, rows, self._vectors, k=k, distance=self._distance)

    def _candidates(
        self, vectors: np.ndarray, count: int, parameters: SearchParameters
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns what ScaNN finds: rows int64 and similarities float32, both [queries, count]."""
        rows, measures = self._searcher.search_batched_parallel(
            vectors,
            final_num_neighbors=count,
            leaves_to_search=parameters.leaves_to_search,
            pre_reorder_num_neighbors=max(parameters.reorder, count),
            # ScaNN hands whole batches to its threads, 256 queries by default: a lookup's 64 would occupy one core.
            batch_size=max(FEWEST_PER_THREAD, -(-len(vectors) // self.threads)),
        )
        # Leaves that were searched may hold fewer rows than were asked for. Missing neighbours come back as row 0 with
        # NaN: unmasked, the first photo would match everything.
        missing = ~np.isfinite(measures)
        cosine = self._distance == "cosine"
        similarities = np.clip(measures, -1, 1) if cosine else from_squared_distance(measures)
        return np.where(missing, -1, rows.astype(np.int64)), np.where(missing, -np.inf, similarities)


def rescored(
    queries: np.ndarray, candidates: np.ndarray, vectors: np.ndarray, *, k: int, distance: str
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the k best of each query's candidates, rows int64 [queries, k] and similarities float32 [queries, k].

    candidates: int64 [queries, n], -1 for none; vectors: float32 [rows, dimension], those that all candidates are of.
    """
    similarities = np.empty(candidates.shape, np.float32)
    for query, rows, scores in zip(queries, candidates, similarities, strict=True):
        scores[:] = similarity(query[None], vectors[rows], distance)[0]
    similarities[candidates < 0] = -np.inf
    best = nearest(similarities, k)
    return np.take_along_axis(candidates, best, axis=1), np.take_along_axis(similarities, best, axis=1)


def load_searcher(directory: Path) -> Any:
    """Loads one of ScaNN's searchers; the caller has verified its files, because ScaNN notices no flipped bit."""
    import_scann()
    from scann.scann_ops.py import scann_ops_pybind

    return scann_ops_pybind.load_searcher(str(directory))


def import_scann() -> ModuleType:
    """Imports ScaNN without TensorFlow, which it would load for operations that nobody here uses: 0.1 s, not 7 s."""
    if "scann" in sys.modules or "tensorflow" in sys.modules:
        import scann

        return scann
    # None makes `import tensorflow` fail, which ScaNN takes for a machine without it. Later imports find it again.
    sys.modules["tensorflow"] = None  # type: ignore[assignment]
    try:
        import scann
    finally:
        del sys.modules["tensorflow"]
    return scann
