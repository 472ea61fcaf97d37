"""Tells whether a content is known, from sorted files of hashes that stay on disk."""

from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np

from foundation.store.files import Store


class KnownContents:
    """The contents of some files of the store: arrays S32, ascending, mapped into memory; a bucket's are copied once.

    32 MB a million on disk, and next to nothing in memory.
    """

    def __init__(self, store: Store, paths: Sequence[str]):
        self._copies = ExitStack()
        self._arrays = [self._map(store, path) for path in paths]

    def _map(self, store: Store, path: str) -> np.ndarray:
        folder, _, name = path.rpartition("/")
        directory = self._copies.enter_context(store.local_copy(folder, [name]))
        # Pickles would run a program.
        return np.load(directory / name, mmap_mode="r", allow_pickle=False)

    def __contains__(self, content: object) -> bool:
        return bool(self.holds(np.array([content], "S32"))[0])

    def holds(self, contents: np.ndarray) -> np.ndarray:
        """Returns bool [n]: which of some contents, S32 [n], are known."""
        # NumPy drops trailing zeros of fixed-width bytes that are read one by one: both sides are compared as arrays.
        found = np.zeros(len(contents), bool)
        for hashes in self._arrays:
            if len(hashes):
                # A hash that is absent has a position too, perhaps behind the last row: what stands there decides.
                rows = np.minimum(np.searchsorted(hashes, contents), len(hashes) - 1)
                found |= hashes[rows] == contents
        return found

    def close(self) -> None:
        """Removes the copies."""
        self._arrays = []
        self._copies.close()
