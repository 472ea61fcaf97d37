"""Keeps the lists of what is retracted and ignored fresh, so that no query waits for a look at the store."""

import logging
from threading import Event, Thread

from serving.live.refused import reason_of
from serving.live.residents import Residents

_log = logging.getLogger(__name__)

FOLLOW_SECONDS = 10.0
# At the end a look under way is waited for so long.
CLOSE_SECONDS = 10.0


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
        problem: str | None = None
        for loaded in self._residents.hold_all():
            try:
                loaded.opened.refresh(at_once=True)
            except Exception as error:
                # Whatever it is, the next look may succeed; while none does, no query is answered.
                problem = reason_of(error)
                if problem != self.problem:
                    _log.warning("the lists of what is retracted and ignored could not be read: %s", problem)
            finally:
                self._residents.give_back(loaded)
        self.problem = problem

    def close(self) -> None:
        """Ends the thread; where the store does not answer, it is not waited for."""
        self._ending.set()
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while not self._ending.wait(self._seconds):
            self.look()
