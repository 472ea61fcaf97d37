"""Holds contents of queries: whoever has the same bytes gets the same answer, and is not decoded."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foundation.store.content_hashes import hash_array


@dataclass(frozen=True, eq=False)
class Contents:
    """Contents of those queries of a chunk that have answers of their own: their places, int64 [n], and S32 [n]."""

    numbers: np.ndarray
    hashes: np.ndarray

    @classmethod
    def of(cls, contents: Mapping[int, bytes]) -> "Contents":
        """Returns the contents (32 bytes each) by the places of their queries."""
        return cls(np.array(list(contents), np.int64), hash_array(contents.values()))

    def write(self, path: Path) -> None:
        """Writes it as one file."""
        with path.open("wb") as file:
            np.savez(file, numbers=self.numbers, hashes=self.hashes)

    @classmethod
    def read(cls, path: Path) -> "Contents":
        """Reads what `write` wrote."""
        # Pickles would run a program.
        with np.load(path, allow_pickle=False) as arrays:
            return cls(arrays["numbers"], arrays["hashes"])


@dataclass(frozen=True, eq=False)
class Hashes:
    """Contents by their hashes alone: S32 [n], ascending."""

    hashes: np.ndarray

    def write(self, path: Path) -> None:
        """Writes them as one file."""
        with path.open("wb") as file:
            np.save(file, self.hashes)

    @classmethod
    def read(cls, path: Path) -> "Hashes":
        """Reads what `write` wrote."""
        return cls(np.load(path, allow_pickle=False))
