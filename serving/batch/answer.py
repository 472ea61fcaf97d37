"""Answers a chunk of queries from what was gathered for it, by the functions that answer from an open snapshot."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from serving.answers import Answer
from serving.batch.described import DescribedSnapshot
from serving.batch.fetched import Fetched
from serving.batch.pictures import Pictures
from serving.batch.prepared import Prepared
from serving.batch.wanted import Wanted
from serving.match.options import MatchOptions
from serving.search.hidden import HiddenContents
from serving.search.ignored import IgnoredBank


@dataclass(frozen=True, eq=False)
class Answered:
    """Answers by the number of their query in the chunk, as `Searcher.lookup` yields them.

    `unsettled` are the numbers of those that need a closer look first, and `known` the contents (32 bytes) of those
    that were answered before: the same answers are theirs, under their own name.
    """

    answers: Mapping[int, list[Answer]]
    unsettled: Sequence[int]
    known: Mapping[int, bytes]
    contents: Mapping[int, bytes]

    def with_closer(self, closer: "Answered") -> "Answered":
        """Returns the answers of both looks."""
        raise NotImplementedError

    def write(self, path: Path) -> None:
        """Writes it as one file."""
        raise NotImplementedError

    @classmethod
    def read(cls, path: Path) -> "Answered":
        """Reads what `write` wrote, equal to the last bit."""
        raise NotImplementedError


def answer(
    prepared: Prepared,
    pictures: Pictures,
    wanted: Wanted,
    fetched: Fetched,
    *,
    described: DescribedSnapshot,
    lists: HiddenContents,
    options: MatchOptions,
    pool: ThreadPoolExecutor,
) -> Answered:
    """Returns the answers to a chunk of queries, at the first look or at the closer one."""
    raise NotImplementedError


def closer(
    prepared: Prepared,
    pictures: Pictures,
    wanted: Wanted,
    unsettled: Sequence[int],
    *,
    bank: IgnoredBank,
    pool: ThreadPoolExecutor,
) -> Prepared:
    """Returns what is asked at the closer look at some queries, by their numbers: it is searched as the first one was.

    `wanted` is that of the first look, whose nearest contents stand.
    """
    raise NotImplementedError
