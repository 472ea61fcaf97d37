"""Looks photos up: decoded queries → candidates → proof → verdict → first seen, a batch at a time."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

import numpy as np

from foundation.encoder import SavedEncoder
from foundation.photos.decode_ahead import decode_ahead
from serving.match.candidates import nearest_vectors
from serving.match.decoded_query import DecodedQuery, decode_query
from serving.match.evidence import QueryPhoto
from serving.match.ignored import look_past, outcome_of_ignored
from serving.match.look import look, needs_closer_look
from serving.match.match import Match, Outcome
from serving.match.options import MatchOptions
from serving.match.outcome import outcome_of
from serving.match.query import Query
from serving.match.threads import MatchThreads
from serving.search.merge import Nearest
from serving.search.snapshot import OpenSnapshot


class Matcher:
    """Looks batches of queries up in one snapshot, with the encoder that it names; `close` ends its threads."""

    def __init__(self, opened: OpenSnapshot, encoder: SavedEncoder, options: MatchOptions):
        self._opened = opened
        self._encoder = encoder
        self._options = options
        self._threads = MatchThreads()

    def close(self) -> None:
        """Ends the decoder threads; queries that nobody waits for are dropped."""
        self._threads.close()

    def match_all(self, queries: Iterable[Query | DecodedQuery]) -> Generator[Outcome, None, None]:
        """Yields what each query came to, in order; holds two batches of small pictures at a time.

        What was decoded before is taken as it is; without a square for the encoder it has no vector, and features alone
        find something.

        One batch is decoded while the one before it is encoded and searched.
        """
        # Decoding is slower than model and search: with two batches in the hands of the threads, none of them waits for
        # these. Queries are read as answers are taken, so that a list of a million is never in memory.
        size = self._options.batch_size
        decode = partial(decode_query, spec=self._encoder.spec, with_features=self._opened.has_local_features)
        decoded = decode_ahead(queries, decode, pool=self._threads.pool, ahead=2 * size)
        while batch := list(islice(decoded, size)):
            yield from self._match(batch)

    def _match(self, batch: Sequence[DecodedQuery | Outcome]) -> Iterator[Outcome]:
        # Only what could be decoded goes through the model, as one batch; answers come in the order of the questions.
        asked = [one for one in batch if isinstance(one, DecodedQuery)]
        answered: Iterator[Outcome] = iter(())
        if asked:
            self._opened.refresh()
            vectors = self._vectors([one.photo.pixels for one in asked])
            near = nearest_vectors(self._opened, vectors, self._options.top_k)
            # OpenCV and ScaNN release the GIL: queries of a batch are proved beside each other.
            answered = self._threads.pool.map(self._answer, asked, vectors, near)
        for one in batch:
            yield one if isinstance(one, Outcome) else next(answered)

    def _vectors(self, squares: Sequence[np.ndarray]) -> np.ndarray:
        """Returns a vector for each square, float32 [squares, dimension], not finite for an empty one."""
        given = [number for number, square in enumerate(squares) if square.size]
        vectors = np.full((len(squares), self._opened.spec.dimension), np.nan, np.float32)
        if given:
            vectors[given] = self._encoder.encode(np.stack([squares[number] for number in given]))
        return vectors

    def _answer(self, asked: DecodedQuery, vector: np.ndarray, near: Nearest) -> Outcome:
        # The last queries of a slow batch come minutes after the first: what is retracted meanwhile is not answered.
        self._opened.refresh()
        bank = self._opened.ignored
        seen = look_past(bank, asked, asked.pictured)
        if seen.ignored:
            return outcome_of_ignored(asked.name, seen.ignored)
        matches = self._look(asked, seen.pictured, vector, near)
        if asked.pictured and needs_closer_look(asked, matches, bank, self._options):
            seen = look_past(bank, asked, asked.pictured.closer)
            if seen.ignored:
                return outcome_of_ignored(asked.name, seen.ignored)
            matches = self._look(asked, seen.pictured, vector, near)
        return outcome_of(asked, matches, self._options, is_proved=self._opened.has_local_features)

    def _look(self, asked: DecodedQuery, pictured: QueryPhoto | None, vector: np.ndarray, near: Nearest) -> list[Match]:
        return look(self._opened, asked, pictured, vector=vector, near=near, options=self._options)
