"""Keeps the pictures of a chunk of queries, without loss, for those who compare pixels at the end."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True, eq=False)
class Pictures:
    """The pictures of some queries, by their numbers in the chunk, each encoded without loss."""

    encoded: Mapping[int, bytes]

    def picture(self, number: int) -> np.ndarray:
        """Returns the picture of a query, uint8 [height, width, 3], at most `CLOSE_SIDE` pixels wide or high."""
        raise NotImplementedError

    def write(self, path: Path) -> None:
        """Writes them as one file."""
        raise NotImplementedError

    @classmethod
    def read(cls, path: Path) -> "Pictures":
        """Reads what `write` wrote."""
        raise NotImplementedError
