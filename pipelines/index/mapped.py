"""Keeps arrays on disk while they are worked on, and lets go of the pages that were read or written."""

import math
import mmap
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np

# Rows that are in memory at a time, out of some millions: 8 MB of 128 numbers.
BLOCK_ROWS = 16_384


def release(array: np.ndarray) -> None:
    """Lets go of the pages of an array that is mapped from a file; the file keeps what was written to them.

    Mapped pages count as memory of the process, although the system may take them back at any time.
    """
    owner: object = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    # Systems without this advice decide for themselves, and only the figure of memory is higher.
    if isinstance(owner, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)


def reserve(file: IO[bytes], size: int) -> None:
    """Takes so many bytes of the disk for a file; raises OSError where there are not as many.

    Otherwise a full disk would end the process without an exception, once a page of the mapped file is written.
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)


class RowsOnDisk:
    """The rows of an array mapped from a file: what is asked for is copied, and no page stays in memory.

    `convert` makes of some rows what is handed out, float32 [n, dimension].
    """

    def __init__(self, array: np.ndarray, convert: Callable[[np.ndarray], np.ndarray] = np.array):
        self._array = array
        self._convert = convert

    def __len__(self) -> int:
        """Returns how many rows there are."""
        return len(self._array)

    def __getitem__(self, rows: slice) -> np.ndarray:
        """Returns some rows that follow one another."""
        found = self._convert(self._array[rows])
        release(self._array)
        return found

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Returns the rows of these numbers, int64 [n], ascending."""
        # One row brings 16 pages around it into memory: row by row over the whole file, that is all of it.
        parts = []
        for start in range(0, len(self), BLOCK_ROWS):
            first, end = np.searchsorted(rows, (start, start + BLOCK_ROWS))
            parts.append(self._array[rows[first:end]])
            release(self._array)
        return self._convert(np.concatenate(parts))


def taken_to_disk(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Returns `array[rows]`, mapped from a temporary file that goes with it: no second copy is in memory."""
    if not len(rows):
        return array[rows]
    with tempfile.TemporaryFile(prefix="firstseen-") as file:
        for start in range(0, len(rows), BLOCK_ROWS):
            file.write(array[rows[start : start + BLOCK_ROWS]].data)
            release(array)
        file.flush()
        return np.memmap(file, array.dtype, "r", shape=(len(rows), *array.shape[1:]))


def empty_on_disk(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Returns an array to be filled, mapped from a temporary file that goes with it."""
    if not all(shape):
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile(prefix="firstseen-") as file:
        reserve(file, math.prod(shape) * np.dtype(dtype).itemsize)
        return np.memmap(file, dtype, "r+", shape=shape)


def save_on_disk(path: Path, array: np.ndarray) -> np.ndarray:
    """Writes an array as `numpy.save` does, block by block, and returns it mapped from there."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        rows = RowsOnDisk(array)
        for start in range(0, len(rows), BLOCK_ROWS):
            file.write(rows[start : start + BLOCK_ROWS].data)
    # A file without rows cannot be mapped.
    return np.load(path, mmap_mode="r" if len(array) else None, allow_pickle=False)
