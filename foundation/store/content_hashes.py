"""Finds contents among sorted hashes: those of a segment, and those that need no vector any more.

They lie in files of NumPy, S32 and ascending, which are mapped into memory: 32 MB a million, of which a search touches
some pages.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # a decoder process, which looks for hashes alone, starts without a store's libraries
    from foundation.store.files import Store


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


def mapped_hashes(files: Iterable[Path]) -> list[np.ndarray]:
    """Returns the hashes of some files, S32 each, mapped into memory; to open one takes longer than many searches."""
    # Pickles would run a program.
    return [np.load(file, mmap_mode="r", allow_pickle=False) for file in files]


def in_any(sorted_hashes: Iterable[np.ndarray], wanted: np.ndarray) -> np.ndarray:
    """Returns bool [wanted]: which hashes, S32, any of the arrays holds."""
    found = np.zeros(len(wanted), bool)
    for hashes in sorted_hashes:
        found |= find_hashes(hashes, wanted) >= 0
    return found


@contextmanager
def local_hashes(store: "Store", paths: Sequence[str]) -> Iterator[list[Path]]:
    """Yields files of hashes of a store as files of this machine; a bucket's are copied."""
    with ExitStack() as copies:
        found = []
        for path in paths:
            folder, _, name = path.rpartition("/")
            found.append(copies.enter_context(store.local_copy(folder, [name])) / name)
        yield found
