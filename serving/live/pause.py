"""Says when to try again what failed for a reason that may pass: each time later, up to some minutes."""

from time import monotonic

# Somebody has to make room on a disk, or to grant a right: he does not want to wait for longer afterwards.
LONGEST_SECONDS = 300.0


class Pause:
    """How long to wait after failures, beginning with `first_seconds`."""

    def __init__(self, first_seconds: float):
        self._first_seconds = first_seconds
        self._seconds = 0.0
        self._until = 0.0

    @property
    def is_on(self) -> bool:
        """Whether it is too early to try again."""
        return monotonic() < self._until

    def begin(self) -> None:
        """Waits after a failure, twice as long as after the one before."""
        self._seconds = min(max(2 * self._seconds, self._first_seconds), LONGEST_SECONDS)
        self._until = monotonic() + self._seconds

    def end(self) -> None:
        """Waits no longer."""
        self._seconds = self._until = 0.0
