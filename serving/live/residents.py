"""Holds the snapshots that are in memory, two at most: the live one, and one that comes, goes, or was asked for."""

from threading import Event, Lock
from time import monotonic

from serving.live.errors import Closed
from serving.live.loaded import Loaded

# A snapshot that requests named stays for so long without any: a page that links it asks for its photos one by one.
PINNED_SECONDS = 60.0
# Who asked for another snapshot by its number waits so long for one that others named.
TURN_SECONDS = 10.0


class Residents:
    """The live snapshot and at most one other; threads may share them.

    `freed` is set when the other one can be closed, by whichever thread used it last.
    """

    def __init__(self, live: Loaded):
        self._live = live
        self._other: Loaded | None = None
        # Nobody begins to use the other one any more: its place is needed.
        self._is_leaving = False
        self._is_closed = False
        self.freed = Event()
        self._changing = Lock()

    @property
    def live(self) -> Loaded:
        """The snapshot that answers."""
        return self._live

    @property
    def loaded(self) -> tuple[Loaded, ...]:
        """All that are in memory, the live one first."""
        with self._changing:
            return (self._live, self._other) if self._other else (self._live,)

    def hold_live(self) -> Loaded:
        """Returns the live snapshot, and counts one user more; raises Closed after `close`."""
        with self._changing:
            return self._used(self._live)

    def hold(self, number: int) -> Loaded | None:
        """Returns the numbered snapshot if it is here, and counts one user more; raises Closed after `close`."""
        with self._changing:
            there = (self._live,) if self._is_leaving or not self._other else (self._live, self._other)
            return next((self._used(one) for one in there if one.number == number), None)

    def _used(self, loaded: Loaded) -> Loaded:
        if self._is_closed:
            raise Closed()
        loaded.users += 1
        loaded.used_at = monotonic()
        return loaded

    def hold_all(self) -> list[Loaded]:
        """Returns all that are in memory, also one that goes, and counts one user more of each."""
        with self._changing:
            there = [one for one in (self._live, self._other) if one]
            for one in there:
                one.users += 1
            return there

    def hold_again(self, loaded: Loaded) -> None:
        """Counts one user more of a snapshot that the caller holds."""
        with self._changing:
            loaded.users += 1

    def give_back(self, loaded: Loaded) -> None:
        """Counts one user less."""
        with self._changing:
            loaded.users -= 1
            is_free = not loaded.users and loaded is not self._live
        if is_free:
            self.freed.set()

    def swap(self, loaded: Loaded) -> None:
        """Lets a snapshot answer from now on; the live one goes when its last user does. There must be room."""
        with self._changing:
            loaded.is_pinned = self._live.is_pinned = False
            # One that requests had named may be published again, or be named before it was polled for.
            self._live, self._other, self._is_leaving = loaded, self._live, False

    def add(self, loaded: Loaded) -> None:
        """Keeps a snapshot beside the live one, for requests that name it; there must be room."""
        with self._changing:
            self._other = loaded

    def make_room(self, *, for_live: bool) -> bool:
        """Returns whether there is room for another snapshot; the one that takes it gets no new user, if it must go.

        A new live snapshot goes before others; among those that requests name each has its turn.
        """
        with self._changing:
            if self._other and (for_live or monotonic() - self._other.loaded_at > TURN_SECONDS):
                self._is_leaving = True
        return self.tidy()

    def has_to_go(self, loaded: Loaded) -> bool:
        """Returns whether another snapshot waits for the place of this one."""
        with self._changing:
            return self._is_leaving and loaded is self._other

    def tidy(self) -> bool:
        """Closes the other snapshot if it goes and has no user; returns whether there is room."""
        with self._changing:
            other = self._other
            if not other:
                return True
            if other.users or not (self._is_leaving or self._is_stale(other)):
                return False
            self._other, self._is_leaving = None, False
        other.close()
        return True

    def close(self) -> None:
        """Closes all; nobody uses any of them."""
        with self._changing:
            self._is_closed = True
        for one in self.loaded:
            one.close()

    def _is_stale(self, other: Loaded) -> bool:
        return not other.is_pinned or monotonic() - other.used_at > PINNED_SECONDS
