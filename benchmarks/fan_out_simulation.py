"""Simulates lookups that ask many searchers at once: slow answers, repeated requests, and a searcher that is lost.

Every searcher holds a part of the index, on one machine or as copies on several; a lookup is answered when the slowest
part is. The event loop is that of one part, since parts share nothing but the times at which queries come: a deployment
is the slowest of its parts, query by query. Repeated requests are those of Dean and Barroso ("The Tail at Scale",
Communications of the ACM 56, 2013): what is not answered in time is asked of another copy, and the first answer counts.
"""

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class ServiceTimes:
    """How long a searcher takes for one query when nothing else is asked: quantiles that were measured, evenly spaced.

    Every so often, with the chance `stalls`, a machine stands still meanwhile, as for a page from disk or for another
    process: `stall_seconds` at least, with the tail of a Pareto distribution of the exponent `stall_tail`.
    """

    quantiles: Sequence[float]
    stalls: float = 0.0
    stall_seconds: float = 0.0
    stall_tail: float = 1.5

    def draw(self, generator: np.random.Generator, count: int) -> np.ndarray:
        """Returns seconds, float64 [count]."""
        shares = np.linspace(0, 1, len(self.quantiles))
        seconds = np.interp(generator.random(count), shares, self.quantiles)
        stalled = generator.random(count) < self.stalls
        return seconds + stalled * self.stall_seconds * (1 + generator.pareto(self.stall_tail, count))

    @property
    def mean(self) -> float:
        """The mean in seconds, a little high for a coarse table of quantiles."""
        body = float(np.trapezoid(self.quantiles, dx=1 / (len(self.quantiles) - 1)))
        return body + self.stalls * self.stall_seconds * self.stall_tail / (self.stall_tail - 1)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the index: copies of it, and how many queries each of them searches at a time.

    A query that waits for `hedge_after` seconds is asked of another copy too. The first copy is lost at `lost_at` and
    back `lost_for` seconds later; what it was asked is asked again of another one after `noticed_after`.
    """

    copies: int = 1
    slots: int = 1
    hedge_after: float | None = None
    lost_at: float | None = None
    lost_for: float = 0.0
    noticed_after: float = 1.0


# What happens, in the order in which it counts at the same moment.
_ENDS, _RETURNS, _LOST, _COMES, _HEDGES = range(5)


class _Loop:
    """The events of one part, as they happen."""

    def __init__(self, part: Part, arrivals: np.ndarray, times: np.ndarray):
        self._part = part
        self._arrivals = arrivals
        self._times = iter(times)
        self._events: list[tuple[float, int, int, int, int]] = []
        self._answered = np.full(len(arrivals), np.nan)
        self._waiting: list[deque[int]] = [deque() for _ in range(part.copies)]
        self._running: list[set[int]] = [set() for _ in range(part.copies)]
        self._is_up = [True] * part.copies
        # What a lost copy had begun must not end: its number of lives tells.
        self._lives = [0] * part.copies
        self._homeless: list[int] = []
        self.requests = 0

    def run(self) -> np.ndarray:
        """Returns when each query is answered, float64 [queries]."""
        for query, at in enumerate(self._arrivals.tolist()):
            self._plan(at, _COMES, query)
        if self._part.lost_at is not None:
            self._plan(self._part.lost_at, _LOST)
        while self._events:
            now, what, query, copy, life = heapq.heappop(self._events)
            if what == _COMES:
                self._ask(now, query)
            elif what == _HEDGES:
                self._hedge(now, query, copy)
            elif what == _ENDS:
                self._end(now, query, copy, life)
            elif what == _LOST:
                self._lose(now)
            else:
                self._return(now)
        return self._answered

    def _plan(self, at: float, what: int, query: int = -1, copy: int = 0, life: int = 0) -> None:
        heapq.heappush(self._events, (at, what, query, copy, life))

    def _ask(self, now: float, query: int, *, beside: int | None = None) -> None:
        """Asks the copy that has least to do, but for one that was asked already."""
        able = [copy for copy in range(self._part.copies) if self._is_up[copy] and copy != beside]
        if not able:
            if beside is None:
                self._homeless.append(query)
            return
        chosen = min(able, key=lambda copy: len(self._waiting[copy]) + len(self._running[copy]))
        self.requests += 1
        self._waiting[chosen].append(query)
        if beside is None and self._part.hedge_after is not None:
            self._plan(now + self._part.hedge_after, _HEDGES, query, chosen)
        self._begin(now, chosen)

    def _begin(self, now: float, copy: int) -> None:
        waiting, running = self._waiting[copy], self._running[copy]
        while waiting and len(running) < self._part.slots:
            query = waiting.popleft()
            # Meanwhile another copy may have answered it.
            if np.isnan(self._answered[query]):
                running.add(query)
                self._plan(now + next(self._times), _ENDS, query, copy, self._lives[copy])

    def _hedge(self, now: float, query: int, copy: int) -> None:
        if np.isnan(self._answered[query]):
            self._ask(now, query, beside=copy)

    def _end(self, now: float, query: int, copy: int, life: int) -> None:
        if life != self._lives[copy]:
            return
        self._running[copy].discard(query)
        if np.isnan(self._answered[query]):
            self._answered[query] = now
        self._begin(now, copy)

    def _lose(self, now: float) -> None:
        lost = [*self._running[0], *self._waiting[0]]
        self._running[0].clear()
        self._waiting[0].clear()
        self._is_up[0] = False
        self._lives[0] += 1
        for query in lost:
            self._plan(now + self._part.noticed_after, _COMES, query)
        self._plan(now + self._part.lost_for, _RETURNS)

    def _return(self, now: float) -> None:
        self._is_up[0] = True
        homeless, self._homeless = self._homeless, []
        for query in homeless:
            self._ask(now, query)


@dataclass(frozen=True)
class Answered:
    """What a simulation came to: when queries came and how long each took, float64 [queries], and requests for each."""

    arrivals: np.ndarray
    seconds: np.ndarray
    requests: float

    def quantiles(self, *shares: float) -> list[float]:
        """Returns some quantiles of the seconds."""
        return np.quantile(self.seconds, shares).tolist()


def simulate(parts: Sequence[Part], times: ServiceTimes, *, rate: float, queries: int, seed: int = 0) -> Answered:
    """Returns what becomes of queries that come at random, `rate` a second, to parts that all have to answer each."""
    generator = np.random.default_rng(seed)
    arrivals = np.cumsum(generator.exponential(1 / rate, queries))
    answered, requests = np.zeros(queries), 0
    for part in parts:
        # Each request has a time of its own; a query that is asked again, too, and a lost one once more.
        loop = _Loop(part, arrivals, times.draw(generator, 4 * queries))
        answered = np.maximum(answered, loop.run())
        requests += loop.requests
    return Answered(arrivals, answered - arrivals, requests / queries)
