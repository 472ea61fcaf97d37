"""Reads single rows of an array on disk without mapping it: a page that is mapped brings its neighbours into memory."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np


class RowReader:
    """Reads rows of a `.npy` file; `array` is the same as the kernel maps it, for whoever reads most of them anyway."""

    def __init__(self, path: Path):
        self.array = np.load(path, mmap_mode="r", allow_pickle=False)
        self._path = path

    @contextmanager
    def opened(self) -> Iterator["OpenRows"]:
        """Yields the open file, which threads may share."""
        file = os.open(self._path, os.O_RDONLY)
        try:
            yield OpenRows(file, self.array)
        finally:
            os.close(file)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Returns some rows, int64 [n]; each is a read of a microsecond, where the kernel has the file in memory."""
        with self.opened() as file:
            data = b"".join(file.read(row, row + 1) for row in rows.tolist())
        return np.frombuffer(data, self.array.dtype).reshape(len(rows), *self.array.shape[1:])


class OpenRows:
    """An open file with the rows of an array."""

    def __init__(self, file: int, array: np.memmap):
        self._file = file
        self._array = array
        self._row_bytes = array[:1].nbytes

    def read(self, first: int, end: int) -> bytes:
        """Returns the bytes of the rows from `first` to before `end`."""
        return os.pread(self._file, (end - first) * self._row_bytes, self._array.offset + first * self._row_bytes)

    def rows(self, first: int, end: int) -> np.ndarray:
        """Returns the rows from `first` to before `end`, which nobody can write to."""
        found = np.frombuffer(self.read(first, end), self._array.dtype)
        return found.reshape(end - first, *self._array.shape[1:])
