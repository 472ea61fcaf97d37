"""Fetches from a group of segments what candidates are compared and answered with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from serving.batch.open_segments import OpenSegments
from serving.batch.wanted import Wanted


@dataclass(frozen=True, eq=False)
class Fetched:
    """What some segments say of the contents that are wanted, and what they keep of their photos."""

    def write(self, path: Path) -> None:
        """Writes it as one file."""
        raise NotImplementedError

    @classmethod
    def read(cls, path: Path) -> "Fetched":
        """Reads what `write` wrote, equal to the last bit."""
        raise NotImplementedError


def fetch(segments: OpenSegments, wanted: Wanted) -> Fetched:
    """Returns what a group of segments has of what is wanted."""
    raise NotImplementedError


def merge_fetched(fetched: Sequence[Fetched]) -> Fetched:
    """Returns what all the groups have, at least one; in any order."""
    raise NotImplementedError
