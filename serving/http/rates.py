"""Bounds how often each key may ask: a bucket of tokens that fills up again over a minute."""

from collections.abc import Callable
from time import monotonic

from starlette.requests import Request


class Rates:
    """Counts what each key asks, or reads; a minute's worth may come at once, and then as fast as it is given again.

    A request is one, and each of its queries after the first one more.
    """

    def __init__(self, clock: Callable[[], float] = monotonic):
        self._clock = clock
        # No bucket is removed: there are as many as there are keys.
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, name: str, per_minute: int) -> float:
        """Counts a request; returns the seconds after which the next one is allowed, 0 if this one is."""
        tokens, now = self._tokens(name, per_minute)
        is_allowed = tokens >= 1
        self._buckets[name] = (tokens - is_allowed, now)
        return 0.0 if is_allowed else (1 - tokens) * 60 / per_minute

    def charge(self, name: str, per_minute: int, queries: int) -> None:
        """Counts queries of a request that was allowed: if they are too many, the next request waits for it."""
        tokens, now = self._tokens(name, per_minute)
        self._buckets[name] = (tokens - queries, now)

    def _tokens(self, name: str, per_minute: int) -> tuple[float, float]:
        now = self._clock()
        tokens, then = self._buckets.get(name, (float(per_minute), now))
        return min(float(per_minute), tokens + (now - then) * per_minute / 60), now


class Rate:
    """How often the key of one request may ask."""

    def __init__(self, rates: Rates, name: str, per_minute: int):
        self._rates, self._name, self._per_minute = rates, name, per_minute

    def charge(self, queries: int) -> None:
        """Counts queries beside the request itself."""
        self._rates.charge(self._name, self._per_minute, queries)

    def take(self) -> float:
        """Counts one more query of a stream; returns the seconds to wait for it, 0 if it is allowed now."""
        return self._rates.take(self._name, self._per_minute)


def rate_of(request: Request) -> Rate | None:
    """Returns how often the key of a request may ask, None if nobody counts."""
    return getattr(request.state, "rate", None)


def charge(request: Request, queries: int) -> None:
    """Counts the queries of a request: the first of them is the request itself."""
    if rate := rate_of(request):
        rate.charge(queries - 1)
