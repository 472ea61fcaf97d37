"""Says what one row of a batch is, for what models take and give."""

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

import numpy as np


class Rows(NamedTuple):
    """The dtype of a batch and the shape of one row; an entry, or the whole shape, may be unknown: None."""

    dtype: type
    shape: tuple[int | None, ...] | None

    def admits(self, other: "Rows") -> bool:
        """Returns whether rows of the other kind, which is known, are of this one."""
        if self.dtype != other.dtype:
            return False
        if self.shape is None or other.shape is None:
            return True
        return len(self.shape) == len(other.shape) and all(
            mine in (None, theirs) for mine, theirs in zip(self.shape, other.shape, strict=True)
        )

    def __str__(self) -> str:
        shape: Iterable[Any] = ("...",) if self.shape is None else self.shape
        return f"{np.dtype(self.dtype).name} [{', '.join(map(str, ('n', *shape)))}]"


class Model(Protocol):
    """A loaded model of one input and one output: a function of batches."""

    takes: Rows
    gives: Rows

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Returns what the model gives for a batch [n, …]."""
