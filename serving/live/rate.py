"""Measures how many queries a busy engine answers per second."""

from threading import Lock
from time import monotonic

# Of what was counted, so much still counts after the next query: some thirty of them make the rate.
KEPT = 0.97
# A rate of fewer queries would be one of chance, and one of long ago is of other queries.
LEAST_QUERIES = 8
FORGOTTEN_SECONDS = 60.0


class Rate:
    """The rate at which queries are answered, and not given up, while there is enough to do; threads may share it."""

    def __init__(self) -> None:
        self._ended = self._answered = self._seconds = 0.0
        self._measured_at = monotonic()
        self._busy_since: float | None = None
        self._changing = Lock()

    def end(self, *, is_answered: bool, is_busy: bool) -> None:
        """Counts a query that was answered or given up; `is_busy` says that the engine has enough to do without it."""
        with self._changing:
            now = monotonic()
            # How long an engine with nothing to do waits for a query says nothing of how fast it is.
            if self._busy_since is not None:
                self._ended = KEPT * self._ended + 1
                self._answered = KEPT * self._answered + is_answered
                self._seconds = KEPT * self._seconds + now - self._busy_since
                self._measured_at = now
            self._busy_since = now if is_busy else None

    @property
    def per_second(self) -> float | None:
        """How many queries are answered in a second, None if that was not measured lately."""
        with self._changing:
            is_known = self._ended >= LEAST_QUERIES and monotonic() - self._measured_at < FORGOTTEN_SECONDS
            return self._answered / max(self._seconds, 1e-6) if is_known else None
