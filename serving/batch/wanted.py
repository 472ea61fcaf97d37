"""Chooses, of what all segments hold near some queries, what is looked at: candidates, and which rows to fetch."""

from dataclasses import dataclass
from pathlib import Path

from serving.batch.found import Found
from serving.batch.prepared import Prepared


@dataclass(frozen=True, eq=False)
class Wanted:
    """What queries are compared with, by their numbers: the nearest contents, and the photos with the most votes."""

    def write(self, path: Path) -> None:
        """Writes it as one file."""
        raise NotImplementedError

    @classmethod
    def read(cls, path: Path) -> "Wanted":
        """Reads what `write` wrote, equal to the last bit."""
        raise NotImplementedError


def choose(prepared: Prepared, found: Found, *, with_similar: bool) -> Wanted:
    """Returns what is wanted of all segments for the queries of a chunk, by what `merge_found` made of all groups.

    `with_similar` says that what is no copy is answered too (`lists_similar`). What was found is not needed any more.
    """
    raise NotImplementedError
