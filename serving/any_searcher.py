"""Defines what looks photos up, a store that was opened or a server of one, and opens either by the same call."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Iterator
from os import PathLike, fspath
from typing import TYPE_CHECKING, Protocol, TypeVar

import pyarrow as pa

from foundation.errors import UsageError
from serving.answers import Answer
from serving.match.options import MatchOptions
from serving.match.query import Query
from serving.output.arrow import table_of
from serving.remote.address import is_server

if TYPE_CHECKING:
    import pandas as pd

    from foundation.store.files import Store

Opened = TypeVar("Opened", bound="AnySearcher")
Queries = Iterable[str | PathLike[str] | Query]


class AnySnapshot(Protocol):
    """What is known of a snapshot wherever it lies: `created_at` is in ISO 8601."""

    @property
    def number(self) -> int:
        """Its number, from 1."""

    @property
    def created_at(self) -> str:
        """When it was published."""

    @property
    def encoder_id(self) -> str:
        """The encoder that all of its segments were made by."""

    @property
    def photos(self) -> int:
        """How many photos can be found in it."""


class AnySearcher(ABC):
    """A store or a server that looks photos up; a context manager. Made by `open`.

    with AnySearcher.open("STORE") as searcher:  # or https://firstseen.example.org
        for answers in searcher.lookup(["photo.jpg"]):
            print(answers[0].photo_id, answers[0].first_seen_at)
    """

    @staticmethod
    def open(
        place: "str | Store",
        *,
        snapshot: int | None = None,
        options: MatchOptions | None = None,
        key: str | None = None,
    ) -> "AnySearcher":
        """Opens a store (a local directory, gs://… or s3://…), or asks the server at http://… or https://….

        `key` is for a server that wants one; default: the variable FIRSTSEEN_KEY. Raises what `Searcher.open` and
        `open_server` raise.
        """
        if isinstance(place, str) and is_server(place):
            from serving.remote.remote_searcher import open_server

            return open_server(place, snapshot=snapshot, options=options, key=key)
        if key is not None:
            raise UsageError("key is given for a store; expected it for a server alone: http://… or https://…")
        # A client need not wait for the libraries that search and decode.
        from serving.searcher import Searcher

        return Searcher.open(place, snapshot=snapshot, options=options)

    @property
    @abstractmethod
    def snapshot(self) -> AnySnapshot:
        """The snapshot that was opened; each answer names the one that it comes from."""

    @abstractmethod
    def lookup(self, queries: Queries) -> Generator[list[Answer], None, None]:
        """Yields the answers of each query, in order: one per match, best first, or one that says why there is none."""

    def lookup_arrow(self, queries: Queries) -> pa.Table:
        """Returns all answers as one table with the schema of the contract, `serving.answers.SCHEMA`."""
        return table_of(self.lookup(queries))

    def lookup_pandas(self, queries: Queries) -> "pd.DataFrame":
        """Returns all answers as one data frame: a missing number is <NA> or NaN, times are in UTC.

        Raises UsageError without pandas, before anything is looked up.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise UsageError("lookup_pandas needs pandas; pip install 'firstseen[pandas]'") from error
        # Ranks and counts stay whole numbers: without this, one query without a match makes all of them floats.
        whole = {pa.int32(): pd.Int32Dtype()}
        return self.lookup_arrow(queries).to_pandas(types_mapper=whole.get)

    @abstractmethod
    def close(self) -> None:
        """Lets go of what was opened; whoever looks up after it gets a UsageError."""

    def __enter__(self: Opened) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def queries_of(queries: Queries) -> Iterator[Query]:
    """Returns queries of what users name them by; raises UsageError for one query that is in no list."""
    if isinstance(queries, str | PathLike | Query):
        # A text is an iterable too: of its letters, each of which would be looked up.
        raise UsageError(f"queries is one query, {queries!r}; expected a list of them: [{queries!r}]")
    return (one if isinstance(one, Query) else Query.of(fspath(one)) for one in queries)
