"""Names contents by the first bytes of their hashes, which are few and tell all but some apart."""

import numpy as np

# Of ten million contents two in a thousand share these bytes with another one, which is then fetched for nothing.
PREFIX_BYTES = 4
MOST = 1 << 8 * PREFIX_BYTES


def prefixes_of(hashes: np.ndarray) -> np.ndarray:
    """Returns the first bytes of content hashes, S32 [n], as numbers in the order of the hashes: uint32 [n]."""
    whole = np.ascontiguousarray(hashes, "S32").view(np.uint8).reshape(-1, 32)
    return np.ascontiguousarray(whole[:, :PREFIX_BYTES]).view(">u4").ravel().astype(np.uint32)


def rows_with(sorted_hashes: np.ndarray, prefixes: np.ndarray) -> np.ndarray:
    """Returns the rows of sorted hashes, S32, that begin with one of some prefixes, uint32: int64 ascending."""
    prefixes = np.unique(prefixes).astype(np.int64)
    # They stand from where the prefix alone would stand to where the next one would.
    first, end = _position(sorted_hashes, prefixes), _position(sorted_hashes, prefixes + 1)
    counts = end - first
    before = np.cumsum(counts) - counts
    return np.repeat(first - before, counts) + np.arange(counts.sum())


def _position(sorted_hashes: np.ndarray, prefixes: np.ndarray) -> np.ndarray:
    keys = np.minimum(prefixes, MOST - 1).astype(">u4").view(f"S{PREFIX_BYTES}").astype("S32")
    return np.where(prefixes < MOST, np.searchsorted(sorted_hashes, keys), len(sorted_hashes))
