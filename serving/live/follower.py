"""Keeps the lists of what is retracted and ignored fresh, so that no query waits for a look at the store."""

from threading import Event, Thread

from foundation.errors import FirstseenError
from serving.live.residents import Residents
from serving.search.followed import LOOK_SECONDS

# Looked at so often, the lists are never so old that a query has to look itself.
FOLLOW_SECONDS = LOOK_SECONDS / 3


class Follower:
    """A thread that looks at the lists of every snapshot in memory; `problem` is why it could not, the last time."""

    def __init__(self, residents: Residents, *, seconds: float):
        self._residents = residents
        self._seconds = min(seconds, FOLLOW_SECONDS)
        self._ending = Event()
        self.problem: str | None = None
        self._thread = Thread(target=self._run, name="follow", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Looks at once; what cannot be read is a `problem`, and queries that need it are told themselves."""
        problem = None
        for number in [one.number for one in self._residents.loaded]:
            held = self._residents.hold(number)
            if held is None:
                continue
            try:
                held.opened.refresh(at_once=True)
            except FirstseenError as error:
                problem = str(error)
            finally:
                self._residents.give_back(held)
        self.problem = problem

    def close(self) -> None:
        """Ends the thread."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(self._seconds):
            self.look()
