"""Searches the vectors of a small segment by looking at every one of them."""

import numpy as np

from foundation.store.segments import SearchParameters
from foundation.vectors import exact_neighbours
from serving.search.scann_index import rescored


class ExactIndex:
    """The vectors of a segment, float32 [rows, dimension], perhaps mapped from disk; too few to be worth a tree."""

    # Below 20,000 rows one matrix product is faster than a tree, finds everything, and works where ScaNN has no wheel.

    def __init__(self, vectors: np.ndarray, *, distance: str):
        self._vectors = vectors
        self._distance = distance

    def search(
        self, vectors: np.ndarray, k: int, _parameters: SearchParameters, hidden: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """float32 [queries, dimension] → (rows int64 [queries, k], similarities float32 [queries, k]), best first.

        With fewer than k rows there are fewer columns; with fewer that are not `hidden`, bool [rows], rows of -1.
        """
        rows, _ = exact_neighbours(vectors, self._vectors, k=k, distance=self._distance, hidden=hidden)
        # Products of matrices are rounded by their sizes: the last digits of a similarity would tell how many queries
        # were asked together. Each is computed once more by itself, as those of a tree are, in 20 µs a query.
        return rescored(vectors, rows, self._vectors, k=rows.shape[1], distance=self._distance)
