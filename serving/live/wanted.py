"""Remembers the snapshots that requests named by their numbers, until they are opened or nobody asks any more."""

from collections.abc import Collection
from threading import Lock
from time import monotonic

# More are not remembered, for each opening occupies the thread that a newer snapshot would need, nor any for longer.
MOST_WANTED = 2
WANTED_SECONDS = 60.0
# A number that the store does not have yet may be published at any time; it is not looked for more often than this.
MISSING_SECONDS = 5.0
MOST_MISSING = 1_000


class Wanted:
    """Numbers that wait to be opened, and those that were looked for in vain; threads may share it."""

    def __init__(self) -> None:
        self._asked_at: dict[int, float] = {}
        self._missed_at: dict[int, float] = {}
        self._changing = Lock()

    def __bool__(self) -> bool:
        return bool(self._asked_at)

    def add(self, number: int) -> None:
        """Remembers a number, unless as many are remembered already."""
        with self._changing:
            if len(self._asked_at) < MOST_WANTED:
                self._asked_at[number] = monotonic()

    def next(self, *, besides: Collection[int]) -> int | None:
        """Returns the number that waits longest; those `besides` are here, and do not wait any more."""
        with self._changing:
            oldest = monotonic() - WANTED_SECONDS
            self._asked_at = {one: at for one, at in self._asked_at.items() if at > oldest and one not in besides}
            return next(iter(self._asked_at), None)

    def drop(self, number: int, *, is_missing: bool = False) -> None:
        """Forgets a number: it was opened, or refused, or is missing."""
        with self._changing:
            self._asked_at.pop(number, None)
            if is_missing and len(self._missed_at) < MOST_MISSING:
                self._missed_at[number] = monotonic()

    def is_missing(self, number: int) -> bool:
        """Returns whether it was looked for in vain just now."""
        with self._changing:
            oldest = monotonic() - MISSING_SECONDS
            self._missed_at = {one: at for one, at in self._missed_at.items() if at > oldest}
            return number in self._missed_at
