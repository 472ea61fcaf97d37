"""Looks photos up: decoded queries → candidates → proof → verdict → first seen, a batch at a time."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import islice

from foundation.encoder import SavedEncoder
from foundation.photos.decode_ahead import decode_ahead
from serving.match.decoded_query import DecodedQuery
from serving.match.match import Outcome
from serving.match.options import MatchOptions
from serving.match.query import Query
from serving.match.steps import MatchSteps
from serving.match.threads import MatchThreads
from serving.search.snapshot import OpenSnapshot


class Matcher:
    """Looks batches of queries up in one snapshot, with the encoder that it names; `close` ends its threads."""

    def __init__(self, opened: OpenSnapshot, encoder: SavedEncoder, options: MatchOptions):
        self._steps = MatchSteps(opened, encoder)
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
        decoded = decode_ahead(queries, self._steps.decode, pool=self._threads.pool, ahead=2 * size)
        while batch := list(islice(decoded, size)):
            yield from self._match(batch)

    def _match(self, batch: Sequence[DecodedQuery | Outcome]) -> Iterator[Outcome]:
        # Only what could be decoded goes through the model, as one batch; answers come in the order of the questions.
        asked = [one for one in batch if isinstance(one, DecodedQuery)]
        answered: Iterator[Outcome] = iter(())
        if asked:
            self._steps.refresh()
            vectors = self._steps.encode(asked)
            near = self._steps.near(vectors, self._options.top_k)
            options = [self._options] * len(asked)
            # OpenCV and ScaNN release the GIL: queries of a batch are proved beside each other.
            answered = self._threads.pool.map(self._steps.prove, asked, vectors, near, options)
        for one in batch:
            yield one if isinstance(one, Outcome) else next(answered)
