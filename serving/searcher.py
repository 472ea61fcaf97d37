"""Opens a store and looks photos up in it: the Python API, and what every face of the product stands on."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from os import PathLike

import numpy as np

from foundation.encoder import load
from foundation.errors import InputNotFoundError, UsageError
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence
from foundation.store.snapshots import Snapshot
from serving.answers import Answer
from serving.any_searcher import AnySearcher, Queries, queries_of
from serving.match.decoded_query import DecodedQuery
from serving.match.match import Match, Outcome, answers_of
from serving.match.matcher import Matcher
from serving.match.options import MatchOptions
from serving.match.query import Query
from serving.search.snapshot import OpenSnapshot, Place


class Searcher(AnySearcher):
    """One snapshot of a store, opened with its encoder; a context manager that ends its threads and removes its copies.

    It answers from the snapshot it was opened with, whatever is published meanwhile. Made by `open`.

    with Searcher.open("STORE") as searcher:
        for answers in searcher.lookup(["photo.jpg"]):
            print(answers[0].photo_id, answers[0].first_seen_at)
    """

    def __init__(self, store: Store, *, snapshot: int | Snapshot | None, options: MatchOptions):
        self._options = options
        # If the encoder is refused, the segments that are open by then are closed again.
        with ExitStack() as stack:
            self._opened = stack.enter_context(OpenSnapshot(store, snapshot))
            live = self._opened.snapshot
            # The digest is the snapshot's: an encoder replaced under its name is a stranger's program, and is not run.
            self._encoder = load(
                store, live.encoder_id, expected_digest=live.encoder_digest, batch_size=options.batch_size
            )
            self._matcher = Matcher(self._opened, self._encoder, options)
            stack.callback(self._matcher.close)
            self._stack = stack.pop_all()
        self._closed = False

    # It opens fewer places than the one it overrides, which calls it: nobody opens a searcher of an unknown kind.
    @classmethod
    def open(  # type: ignore[override]
        cls, store: str | Store, *, snapshot: int | Snapshot | None = None, options: MatchOptions | None = None
    ) -> "Searcher":
        """Opens the live snapshot of a store, the numbered one, or one that is not published, and checks every file.

        `store` is a local directory, gs://… or s3://…. Raises InputNotFoundError without a store or a snapshot,
        ArtifactRefusedError if any file of the snapshot or the encoder differs from its digest.
        """
        opened = store if isinstance(store, Store) else Store(store)
        return cls(opened, snapshot=snapshot, options=options or MatchOptions())

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that answers."""
        return self._opened.snapshot

    def lookup(self, queries: Queries) -> Generator[list[Answer], None, None]:
        """Yields the answers of each query, in order: one per match, best first, or one that says why there is none.

        A query is the path or URI of a photo, or a Query with bytes of its own. Raises UsageError for one query that is
        in no list, and after `close`.
        """
        return (self.answers(outcome) for outcome in self.find(queries))

    def find(self, queries: Queries) -> Generator[Outcome, None, None]:
        """Yields what each query came to, in order, with the places of its matches in the index."""
        asked = queries_of(queries)
        if self._closed:
            raise UsageError(
                "this searcher is closed; expected an open one: look up before it is closed, or open another"
            )
        return self._matcher.match_all(asked)

    def find_beside(self, known: Iterable[bytes], queries: Iterable[Query | DecodedQuery]) -> Iterator[Outcome]:
        """Yields what each query comes to beside contents that are known (32 bytes each).

        Until the last outcome is taken, nobody else may ask.
        """
        with self._opened.without(known):
            yield from self._matcher.match_all(queries)

    def copies(self, query: str | PathLike[str] | Query) -> Generator[tuple[Match, list[Occurrence]], None, None]:
        """Yields every copy of one photo, each with all photos of the archives that have its bytes.

        What was found is left aside and the photo looked up again, until nothing more is found: a lookup alone looks
        closer at some copies only. Meanwhile nobody else may ask. Raises InputNotFoundError if the photo is rejected.
        """
        found: set[bytes] = set()
        while True:
            with self._opened.without(found):
                (outcome,) = self.find([query])
            if outcome.status == "rejected":
                raise InputNotFoundError(f"{outcome.query}: {outcome.reason}")
            copies = [match for match in outcome.matches if match.is_copy]
            if not copies:
                return
            found |= {match.candidate.content for match in copies}
            for match in copies:
                yield match, self._opened.occurrences(match.candidate.content)

    def answers(self, outcome: Outcome) -> list[Answer]:
        """Returns what a query came to in the rows of the contract."""
        return answers_of(outcome, self.snapshot, claimed=self._options.claimed_date)

    def sample(self, count: int, generator: np.random.Generator) -> list[list[Occurrence]]:
        """Returns so many contents chosen at random, or all of them, each as the photos that have it."""
        chosen = self._opened.sample(count, generator)
        return [occurrences for one in chosen if (occurrences := self._opened.occurrences(one))]

    def decode(self, places: Sequence[Place]) -> np.ndarray:
        """Returns what the index knows of some photos: their vectors decoded, float32 [n, size, size, channels].

        Raises UsageError if the encoder has no decoder.
        """
        return self._encoder.decode(self._opened.vectors(places))

    def close(self) -> None:
        """Ends the threads, and removes what was copied from a bucket."""
        self._closed = True
        self._stack.close()
