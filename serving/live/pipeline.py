"""Answers the queries of many clients together: decoder processes → batches of the encoder → search → threads of proof.

Each step is that of `serving.match.steps`, as in a lookup of one client; what stands here is who waits for whom.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Lock, Thread
from time import monotonic

import numpy as np

from foundation.errors import FirstseenError, TemporaryError, UsageError
from foundation.photos.decoder_processes import DecoderProcesses
from foundation.photos.rejects import PhotoError
from serving.live.asked import Asked
from serving.live.batches import Batches, grouped
from serving.live.errors import Closed
from serving.live.observer import Observer, Stage
from serving.live.options import LiveOptions
from serving.live.rate import Rate
from serving.live.turns import Turns
from serving.live.vector_query import VectorQuery, similar_only
from serving.match.decoded_query import DecodedQuery, rejected
from serving.match.match import Outcome
from serving.match.query import Query
from serving.match.threads import MatchThreads
from serving.search.merge import Nearest

# Queries that wait for each thread of proof, beside the one that it has: while it is proved the next are encoded.
WAITING_PER_THREAD = 1
# A photo that is not decoded by then is called damaged. On a busy machine a sound one may take longer than a short
# deadline.
LEAST_DECODE_SECONDS = 10.0
# After this share of its time a query waits for no turn of others any more: the largest request that has places is then
# answered in time, also where there is always more to do than can be done.
PATIENCE = 0.35


class Pipeline:
    """The threads and processes that queries go through; `close` ends them, and every query that is under way."""

    def __init__(self, options: LiveOptions, observe: Observer):
        self._deadline_seconds = options.deadline_seconds
        self._observe = observe
        self._under_way: set[Asked] = set()
        self._changing = Lock()
        self._is_closed = False
        # Nobody waits for an answer any longer than this: a photo that takes longer must not occupy a decoder.
        seconds = max(options.deadline_seconds, LEAST_DECODE_SECONDS)
        self._decoders = DecoderProcesses(timeout_seconds=seconds)
        self._threads = MatchThreads()
        # As many queries as keep every thread of proof at work.
        self._enough = (1 + WAITING_PER_THREAD) * (os.cpu_count() or 1)
        patience_seconds = PATIENCE * options.deadline_seconds
        self._undecoded: Turns[tuple[Asked, Query]] = Turns(patience_seconds=patience_seconds)
        self._batches = Batches(most=options.batch_size, enough_behind=self._enough, patience_seconds=patience_seconds)
        self._unproved: Turns[tuple[Asked, np.ndarray, Nearest]] = Turns(patience_seconds=patience_seconds)
        self.rate = Rate()
        self._encoding = Thread(target=self._encode_all, name="encode", daemon=True)
        self._encoding.start()

    @property
    def is_alive(self) -> bool:
        """Whether queries get any further."""
        return self._encoding.is_alive()

    def warm(self) -> None:
        """Starts the decoder processes, so that no query waits for them."""
        count = os.cpu_count() or 1
        # Each is called before any is ready: no call finds one that it could take.
        list(self._decoders.threads.map(self._decoders.call, [os.getpid] * count))

    def submit(self, query: Query | VectorQuery, asked: Asked) -> None:
        """Begins to answer a query; whatever keeps it from that, as that this is closed, its future is told."""
        asked.begin(self._deadline_seconds)
        try:
            self._begin(query, asked)
        except Exception as error:
            self._end(asked, error)

    def _begin(self, query: Query | VectorQuery, asked: Asked) -> None:
        if isinstance(query, VectorQuery):
            try:
                asked.vector = query.checked(asked.loaded.steps.spec)
            except UsageError as error:
                # It costs nothing, and says nothing of how fast queries are answered.
                outcome = Outcome(query.name, "rejected", f"wrong_embedding: {error}")
                self._observe.outcome(outcome)
                asked.end(outcome)
                return
            asked.decoded, asked.options = query.decoded(), similar_only(asked.options)
        with self._changing:
            if self._is_closed:
                raise Closed()
            self._under_way.add(asked)
            if isinstance(query, VectorQuery):
                self._batches.put(asked)
            else:
                self._undecoded.put(asked.owner, (asked, query))
                self._decoders.threads.submit(self._decode_next)

    def close(self) -> None:
        """Ends threads and processes; whoever waits for a query is told that nobody answers it."""
        with self._changing:
            self._is_closed = True
        self._batches.close()
        self._encoding.join()
        self._decoders.close()
        self._threads.pool.shutdown(cancel_futures=True)
        self._threads.close()
        for asked in list(self._under_way):
            self._end(asked, Closed())

    def _decode_next(self) -> None:
        self._decode(*self._undecoded.take())

    def _decode(self, asked: Asked, query: Query) -> None:
        if not self._goes_on(asked):
            return
        try:
            with self._timed("decode"):
                decoded = self._decoded(asked, query)
        except Exception as error:
            self._end(asked, error)
            return
        if isinstance(decoded, Outcome):
            self._end(asked, decoded)
            return
        asked.decoded = decoded
        asked.wait()
        self._batches.put(asked)

    def _decoded(self, asked: Asked, query: Query) -> DecodedQuery | Outcome:
        """Reads a query here, where a file may be open, and decodes it in another process, which it may end."""
        try:
            data = query.read()
        except (FirstseenError, OSError) as error:
            return rejected(query.name, error)
        try:
            return self._decoders.call(asked.loaded.decode, Query(query.name, partial(bytes, data)))
        except PhotoError as error:
            return rejected(query.name, error)

    def _encode_all(self) -> None:
        # No variable of a thread that waits may hold a query, and with it a snapshot that was replaced since.
        while self._encode_next():
            pass

    def _encode_next(self) -> bool:
        batch = self._batches.take()
        for group in grouped(batch, lambda asked: asked.loaded):
            try:
                self._encode(group)
            except Exception as error:
                for asked in group:
                    self._end(asked, error)
        return bool(batch)

    def _encode(self, group: list[Asked]) -> None:
        """Encodes and searches queries of one snapshot, and hands them on to be proved."""
        wanted = [asked for asked in group if self._goes_on(asked)]
        if wanted:
            for asked, vector, near in self._search(wanted):
                asked.wait()
                self._unproved.put(asked.owner, (asked, vector, near))
                self._threads.pool.submit(self._prove_next)

    def _search(self, group: list[Asked]) -> list[tuple[Asked, np.ndarray, Nearest]]:
        """Returns the queries of one snapshot with their vectors, float32 [dimension], and what is near to these."""
        steps = group[0].loaded.steps
        steps.refresh()
        self._observe.batch(len(group))
        with self._timed("encode"):
            vectors = steps.encode([asked.decoded for asked in group])
        for row, asked in enumerate(group):
            if asked.vector is not None:
                vectors[row] = asked.vector
        with self._timed("search"):
            found = [
                (group[row], vectors[row], near)
                for rows in grouped(range(len(group)), lambda row: group[row].options.top_k)
                for row, near in zip(rows, steps.near(vectors[rows], group[rows[0]].options.top_k), strict=True)
            ]
        return found

    def _prove_next(self) -> None:
        self._prove(*self._unproved.take())

    def _prove(self, asked: Asked, vector: np.ndarray, near: Nearest) -> None:
        try:
            if self._goes_on(asked):
                with self._timed("verify"):
                    outcome = asked.loaded.steps.prove(asked.decoded, vector, near, asked.options)
                self._end(asked, outcome)
        except OSError as error:  # what was opened lies where nothing can be read at the moment
            self._end(asked, TemporaryError(f"the photos of the store cannot be read now: {error.strerror}; ask again"))
        except Exception as error:
            self._end(asked, error)

    def _goes_on(self, asked: Asked) -> bool:
        """Returns whether the next step of a query is worth it; ends the query otherwise."""
        reason = asked.go_on()
        if reason is None:
            return True
        self._end(asked, reason)
        return False

    def _end(self, asked: Asked, result: Outcome | Exception) -> None:
        with self._changing:
            self._under_way.discard(asked)
            is_busy = len(self._under_way) >= self._enough
        self.rate.end(is_answered=isinstance(result, Outcome), is_busy=is_busy)
        self._batches.leave(asked)
        if self._is_closed and not isinstance(result, Outcome):
            result = Closed()
        if isinstance(result, Outcome):
            self._observe.stage("queue", asked.waited_seconds)
            self._observe.outcome(result)
        asked.end(result)

    @contextmanager
    def _timed(self, stage: Stage) -> Iterator[None]:
        started = monotonic()
        yield
        self._observe.stage(stage, monotonic() - started)
