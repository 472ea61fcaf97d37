"""Counts the queries in the hands of the engine, and takes no more than it has places for, and can answer in time."""

from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic

from serving.live.errors import RETRY_SECONDS, Busy
from serving.live.rate import Rate
from serving.live.turns import Turns

# Those that wait for their turn take one of so many places at most: a form of many photos is to find enough free.
TURNS_SHARE = 4
# Whoever is told when to ask again may come so much later, and finds the places that are kept for him.
LATE_SECONDS = 10.0
# Photos differ: what is expected to take all of a query's time would often take longer.
SHARE_OF_DEADLINE = 0.8


class Places:
    """Places for queries, `most` of them, all free at first; threads may share them.

    Once it was measured how fast queries are answered, there are as many as that in `deadline_seconds`: with more, each
    would be given up when most of its work was done.
    """

    def __init__(self, most: int, *, rate: Rate, deadline_seconds: float):
        self.most = most
        self.taken = 0
        self._rate, self._deadline_seconds = rate, deadline_seconds
        self._by_turns = 0
        self._turns: Turns[Callable[[], None]] = Turns()
        self._is_beginning = False
        # So many are left free as they come, for a request of several queries that found too few.
        self._kept, self._kept_until = 0, 0.0
        self.changing = Lock()

    def change(self, places: int) -> None:
        """Takes so many places, or gives them back if negative; the caller holds `changing`, and calls `begin` after.

        Raises Busy, and takes none, if there are fewer. If nothing is being answered, there are `most`. Those that
        were too few for several queries are kept for them until they are asked again: others ask for one at a time,
        and would take each as soon as it is free.
        """
        rate, kept = self._rate.per_second, self._kept_from(places)
        limit = self._limit(rate) if self.taken else self.most
        excess = self.taken + places - max(0, limit - kept)
        if places > 0 and excess > 0:
            busy = self._busy(places, limit, rate, excess, kept)
            if 1 < places <= limit and not kept:
                self._kept, self._kept_until = places, monotonic() + busy.retry_after_seconds + LATE_SECONDS
            raise busy
        if places >= self._kept:
            self._kept = 0
        self.taken += places

    def wait(self, owner: Hashable, begin: Callable[[], None]) -> None:
        """Calls `begin` once it has a place, which `leave` gives back; owners take turns, with a share of the places.

        It is called at once, or in the thread that gives a place back, and raises nothing.
        """
        self._turns.put(owner, begin)
        self.begin()

    def leave(self) -> None:
        """Gives back a place that was waited for."""
        with self.changing:
            self.taken -= 1
            self._by_turns -= 1
        self.begin()

    def begin(self) -> None:
        """Begins what waits, as far as there are places."""
        with self.changing:
            # What is begun may end at once, and come here again: it leaves the next one to whoever began it.
            if self._is_beginning:
                return
            self._is_beginning = True
        while begin := self._next():
            begin()

    def _next(self) -> Callable[[], None] | None:
        """Takes a place for what has its turn, and returns how it begins; None if it has to wait, or nothing does."""
        with self.changing:
            limit = self._limit(self._rate.per_second) - self._kept_from(1)
            is_free = self.taken < limit and self._by_turns < max(1, limit // TURNS_SHARE)
            if not (is_free and len(self._turns)):
                self._is_beginning = False
                return None
            self.taken += 1
            self._by_turns += 1
            return self._turns.take()

    def _kept_from(self, places: int) -> int:
        """Returns how many places are kept from a request of so many, for a larger one that was there before."""
        return self._kept if places < self._kept and monotonic() < self._kept_until else 0

    def _limit(self, rate: float | None) -> int:
        if rate is None:
            return self.most
        return min(self.most, max(1, int(rate * self._deadline_seconds * SHARE_OF_DEADLINE)))

    def _busy(self, places: int, limit: int, rate: float | None, excess: int, kept: int) -> Busy:
        seconds = max(RETRY_SECONDS, min(excess / rate, self._deadline_seconds)) if rate else RETRY_SECONDS
        many, remedy = f"{limit:,} in all", "start with a longer queue (--queue-queries)"
        if rate is not None and limit < self.most:
            many += f", for {rate:.1f} are answered in a second"
            remedy = "start with a longer time (--deadline-seconds)"
        if kept:
            many += f", while {kept:,} are kept for a larger request that came before"
        return Busy(
            f"{self.taken:,} queries are being answered, and {places:,} more are asked; expected {many}: ask again in "
            f"{seconds:.0f} s, or {remedy}",
            retry_after_seconds=seconds,
        )
