"""Bounds how often each key may ask: a bucket of tokens that fills up again over a minute."""

from collections.abc import Callable
from time import monotonic


class Rates:
    """Counts the requests of each key; a minute's worth may come at once, and then as fast as they are given again."""

    def __init__(self, clock: Callable[[], float] = monotonic):
        self._clock = clock
        # No bucket is removed: there are as many as there are keys.
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, name: str, per_minute: int) -> float:
        """Counts a request; returns the seconds after which the next one is allowed, 0 if this one is."""
        now = self._clock()
        tokens, then = self._buckets.get(name, (float(per_minute), now))
        tokens = min(float(per_minute), tokens + (now - then) * per_minute / 60)
        is_allowed = tokens >= 1
        self._buckets[name] = (tokens - is_allowed, now)
        return 0.0 if is_allowed else (1 - tokens) * 60 / per_minute
