"""Holds what is asked of segments for a chunk of queries: their vectors and local features, without their pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foundation.photos.local_features import LocalFeatures
from serving.match.match import Outcome


@dataclass(frozen=True, eq=False)
class Features:
    """The local features of a query, all of them, and where they and its pixels prove nothing.

    `unusable` is bool [height, width] of its picture, or None where all of it counts: what an ignored photo covers.
    """

    found: LocalFeatures
    unusable: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Asked:
    """One query as it is searched: `number` is its place in the chunk, from 0; `batch` that of its batch.

    `content` is its hash (32 bytes), `vector` float32 [dimension], `width` and `height` are those of the full photo.
    `features` are None where the archive keeps none.
    """

    number: int
    batch: int
    content: bytes
    width: int
    height: int
    is_blank: bool
    vector: np.ndarray
    features: Features | None


@dataclass(frozen=True, eq=False)
class Near:
    """What is nearest to a query by its vector, as in `serving.search.merge`: float32 [k] and S32 [k]."""

    similarities: np.ndarray
    contents: np.ndarray


@dataclass(frozen=True, eq=False)
class Prepared:
    """A chunk of queries as it is searched: what each one asks, or why it asks nothing.

    Every query, by its place in `names`, is in one of three: `outcomes` holds those that have theirs already (rejected,
    or an ignored photo), `known` the contents (32 bytes) of those that were answered before, and `asked` the rest.
    Of a closer look (`is_close`), only those are in any of them that need it; `near` is then what the first look found.
    """

    names: Sequence[str]
    outcomes: Mapping[int, Outcome]
    known: Mapping[int, bytes]
    asked: Sequence[Asked]
    is_close: bool = False
    near: Mapping[int, Near] | None = None

    def write(self, path: Path) -> None:
        """Writes it as one file."""
        raise NotImplementedError

    @classmethod
    def read(cls, path: Path) -> "Prepared":
        """Reads what `write` wrote, equal to the last bit."""
        raise NotImplementedError
