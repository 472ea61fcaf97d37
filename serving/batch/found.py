"""Searches a group of segments for a chunk of queries, and merges what several groups found."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from serving.batch.open_segments import OpenSegments
from serving.batch.prepared import Prepared


@dataclass(frozen=True, eq=False)
class Found:
    """What some segments hold near the queries of a chunk: the nearest contents, and who votes for what."""

    def write(self, path: Path) -> None:
        """Writes it as one file."""
        raise NotImplementedError

    @classmethod
    def read(cls, path: Path) -> "Found":
        """Reads what `write` wrote, equal to the last bit."""
        raise NotImplementedError


def search(segments: OpenSegments, prepared: Prepared, *, k: int, pool: ThreadPoolExecutor) -> Found:
    """Returns what a group of segments holds near the queries; `k` contents by their vectors (`MatchOptions.top_k`)."""
    raise NotImplementedError


def merge_found(found: Sequence[Found]) -> Found:
    """Returns what all the groups hold, at least one; in any order, and of parts merged before."""
    raise NotImplementedError
