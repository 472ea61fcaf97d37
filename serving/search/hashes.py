"""Finds content hashes among the sorted ones of a segment."""

from collections.abc import Iterable

import numpy as np


def hash_array(contents: Iterable[bytes]) -> np.ndarray:
    """Returns content hashes (32 bytes each) as an array, S32."""
    return np.array(list(contents), "S32")


def find_hashes(sorted_hashes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Returns int64 [wanted]: the place of each hash among sorted ones, S32 both, or -1 where it is none of them."""
    if not len(sorted_hashes):
        return np.full(len(wanted), -1)
    # A hash that is absent has a position too, perhaps behind the last row: what stands there decides. NumPy drops
    # trailing zeros of fixed-width bytes that are read one by one: both sides are compared as arrays.
    positions = np.minimum(np.searchsorted(sorted_hashes, wanted), len(sorted_hashes) - 1)
    return np.where(sorted_hashes[positions] == wanted, positions, -1)
