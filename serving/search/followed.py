"""Follows a list that only grows while its store is open: what is added is known within half a minute."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Generic, Protocol, TypeVar


class Numbered(Protocol):
    """What stands on a list: an entry with its number."""

    @property
    def number(self) -> int:
        """The place on the list, from 1 on."""


Entry = TypeVar("Entry", bound=Numbered)

# How old the last look at a list may be when a query is answered. Whatever is put on it is promised to count within 60
# seconds; the other half is for the queries that are being answered meanwhile.
LOOK_SECONDS = 30


class FollowedList(ABC, Generic[Entry]):
    """A list as of the last look; `read(after)` returns its entries with higher numbers."""

    def __init__(self, read: Callable[[int], list[Entry]]):
        """Takes the first look; raises ArtifactRefusedError as `read` does."""
        self._read_after = read
        self._known: list[Entry] = []
        self._take_up(self._known)
        self._read()

    @abstractmethod
    def _take_up(self, entries: Sequence[Entry]) -> None:
        """Makes of the whole list what is asked for; what it raises is raised at the next look again."""

    @property
    def entries(self) -> int:
        """How many entries it had at the last look."""
        return len(self._known)

    @property
    def age_seconds(self) -> float:
        """How long ago the last look was taken."""
        return monotonic() - self._looked_at

    def look(self, *, at_once: bool = False) -> bool:
        """Reads what is new, if the last look was LOOK_SECONDS ago, or `at_once`; returns whether anything was.

        Costs one listing. Raises ArtifactRefusedError if the list lost an entry or one of them is damaged, and again at
        the next call: then nobody knows what it says.
        """
        return (at_once or self.age_seconds >= LOOK_SECONDS) and self._read()

    def _read(self) -> bool:
        started = monotonic()
        # Entries that cannot be read and were given up are not among the known ones.
        new = self._read_after(self._known[-1].number if self._known else 0)
        if new:
            self._take_up([*self._known, *new])
            self._known += new
        self._looked_at = started
        return bool(new)
