"""Searches an index that finds hidden rows too: asks for more neighbours, and drops those that must not be found."""

from collections.abc import Callable

import numpy as np

# (queries [n, …], k) → (rows int64 [n, k], similarities float32 [n, k]), best first; -1 and -inf where none is left.
Search = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]
# How many times more neighbours are asked for each time that too few of them may be shown.
TIMES = 4


def shown_neighbours(
    search: Search, queries: np.ndarray, k: int, *, hides: Callable[[np.ndarray], np.ndarray], most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the k nearest of each query that are not hidden, as `search` does, with rows of -1 where fewer are left.

    `hides` says of rows, int64, whether they are hidden. At most `most` neighbours of a query are asked for.
    """
    rows, similarities = np.full((len(queries), k), -1), np.full((len(queries), k), -np.inf, np.float32)
    # Mostly a few rows are hidden somewhere else: one search of twice as many neighbours is enough for all queries.
    asked, left = min(2 * k, most), np.arange(len(queries))
    while len(left):
        found, near = search(queries[left], asked)
        is_shown = (found >= 0) & ~hides(found)
        first = np.argsort(~is_shown, axis=1, kind="stable")[:, :k]
        kept = np.take_along_axis(is_shown, first, axis=1)
        columns = slice(first.shape[1])
        rows[left, columns] = np.where(kept, np.take_along_axis(found, first, axis=1), -1)
        similarities[left, columns] = np.where(kept, np.take_along_axis(near, first, axis=1), -np.inf)
        # Where a search came back with holes, it has nothing more to give.
        is_done = (is_shown.sum(axis=1) >= k) | (found < 0).any(axis=1)
        left = left[~is_done] if asked < most else left[:0]
        asked = min(TIMES * asked, most)
    return rows, similarities
