"""Lets one request use one snapshot: every item of it is answered by that snapshot, whatever is published meanwhile."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial

from foundation.errors import UsageError
from foundation.store.encoders import EncoderSpec
from foundation.store.snapshots import Snapshot
from serving.answers import Answer
from serving.live.asked import Asked
from serving.live.loaded import Loaded, require_fresh
from serving.live.pipeline import Pipeline
from serving.live.places import Places
from serving.live.residents import Residents
from serving.live.vector_query import VectorQuery
from serving.match.match import Outcome, answers_of
from serving.match.options import MatchOptions
from serving.match.query import Query
from serving.search.snapshot import OpenSnapshot


class Held:
    """One snapshot for as long as a request holds it; made by `LiveSearcher.hold`."""

    def __init__(self, loaded: Loaded, residents: Residents, pipeline: Pipeline, places: Places):
        self._loaded = loaded
        self._residents = residents
        self._pipeline = pipeline
        self._places = places
        self._admitted = self._under_way = 0

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that answers."""
        return self._loaded.opened.snapshot

    @property
    def opened(self) -> OpenSnapshot:
        """The snapshot, for its photos: occurrences, columns, places. What is retracted is hidden as of its refresh."""
        return self._loaded.opened

    @property
    def spec(self) -> EncoderSpec:
        """The encoder of the snapshot."""
        return self._loaded.opened.spec

    @property
    def has_to_go(self) -> bool:
        """Whether another snapshot waits for the place of this one: who holds it for long gives it back soon."""
        return self._residents.has_to_go(self._loaded)

    def require_fresh(self) -> None:
        """Raises ListsTooOld if nobody knows what was retracted or ignored lately: then nothing may be shown."""
        require_fresh(self.opened)

    def lists_entries(self) -> int:
        """Returns how many entries the lists of what is retracted and ignored have, raises ListsTooOld as above.

        What a query came to may be told if they are as many as before it was asked.
        """
        self.require_fresh()
        return self.opened.lists_entries

    @contextmanager
    def admit(self, queries: int) -> Iterator[None]:
        """Takes so many places in the queue at once, for the queries that are submitted in the block.

        Raises Busy if there are too few, UsageError if there are never as many.
        """
        if queries > self._places.most:
            raise UsageError(
                f"received {queries:,} queries at once; expected at most {self._places.most:,}: ask for fewer at a "
                "time, or start with a longer queue (--queue-queries)"
            )
        self._occupy(admitted=queries)
        try:
            yield
        finally:
            self._occupy(admitted=-queries)

    def submit(self, query: Query | VectorQuery, options: MatchOptions) -> Future[Outcome]:
        """Begins to answer a query; whoever no longer waits for it cancels the future.

        The future raises DeadlineExceeded if it takes too long, TemporaryError if what storage has to give is not to be
        had now, ArtifactRefusedError if nobody knows what was retracted, Closed after `close`. Without `admit` it takes
        one place by itself, and may raise Busy.
        """
        self._occupy(under_way=1)
        # The snapshot stays for as long as anything is done in it, also if the request ends before.
        self._residents.hold_again(self._loaded)
        asked = Asked(options, self._loaded, owner=self, on_end=self._leave)
        self._pipeline.submit(query, asked)
        return asked.future

    def submit_in_turn(self, query: Query | VectorQuery, options: MatchOptions) -> Future[Outcome]:
        """Answers a query as `submit` does, once it has a place: for those whose many queries can wait.

        Requests that wait take turns, and have a share of the places, so that others find some. A query's deadline
        begins when it has its place.
        """
        self._residents.hold_again(self._loaded)
        asked = Asked(options, self._loaded, owner=self, on_end=self._leave_turn)
        self._places.wait(self, partial(self._pipeline.submit, query, asked))
        return asked.future

    def _leave_turn(self) -> None:
        self._residents.give_back(self._loaded)
        self._places.leave()

    def answers(self, outcome: Outcome, options: MatchOptions) -> list[Answer]:
        """Returns what a query came to in the rows of the contract."""
        return answers_of(outcome, self.snapshot, claimed=options.claimed_date)

    def _leave(self) -> None:
        self._residents.give_back(self._loaded)
        self._occupy(under_way=-1)

    def _occupy(self, *, admitted: int = 0, under_way: int = 0) -> None:
        """Changes what this request has of the places: those that it was promised, or those that it uses if more."""
        # A request whose client is gone leaves its queries in the hands of the engine until their next step.
        with self._places.changing:
            before = max(self._admitted, self._under_way)
            self._places.change(max(self._admitted + admitted, self._under_way + under_way) - before)
            self._admitted += admitted
            self._under_way += under_way
        self._places.begin()
