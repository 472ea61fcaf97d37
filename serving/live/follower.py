"""Keeps the lists of what is retracted and ignored fresh, so that no query waits for a look at the store."""

import logging
from concurrent.futures import Future
from threading import Event, Thread

from foundation.errors import ArtifactRefusedError, InputNotFoundError
from foundation.store.files import Store
from foundation.store.snapshots import snapshot_numbers
from serving.live.asking import Asking
from serving.live.refused import reason_of
from serving.live.residents import Residents

_log = logging.getLogger(__name__)

FOLLOW_SECONDS = 10.0
# At the end a look under way is waited for so long.
CLOSE_SECONDS = 10.0


class Follower:
    """A thread that looks at the lists of every snapshot in memory; `problem` is why it could not, the last time.

    `is_sound` says that the lists were read, or that a later look may read them: they are neither damaged nor gone.
    """

    def __init__(self, store: Store, residents: Residents, *, seconds: float):
        self._store, self._residents = store, residents
        self._seconds = min(seconds, FOLLOW_SECONDS)
        self.problem: str | None = None
        self.is_sound = True
        self._waking = Event()
        self._asking: Asking[None] = Asking(self._waking)
        self._thread = Thread(target=self._run, name="follow", daemon=True)
        self._thread.start()

    def look(self) -> Future[None]:
        """Looks at once; the future is told after that. It is the same for all who ask before; nobody may cancel it.

        What cannot be read is a `problem`, and queries that need it are told themselves.
        """
        return self._asking.ask()

    def close(self) -> None:
        """Ends the thread; where the store does not answer, it is not waited for."""
        self._asking.close()
        self._thread.join(CLOSE_SECONDS)
        if told := self._asking.take():
            told.set_result(None)

    def _run(self) -> None:
        while not self._asking.is_closed:
            self._waking.wait(self._seconds)
            self._waking.clear()
            told = self._asking.take()
            if not self._asking.is_closed:
                self._look()
            if told:
                told.set_result(None)

    def _look(self) -> None:
        error: Exception | None = None
        try:
            self._require_store()
            for loaded in self._residents.hold_all():
                try:
                    loaded.opened.refresh(at_once=True)
                except Exception as failed:
                    error = failed
                finally:
                    self._residents.give_back(loaded)
        except Exception as failed:
            # Whatever it is, the next look may succeed; while none does, the lists grow too old for any answer.
            error = failed
        self._keep(error)

    def _require_store(self) -> None:
        """Raises InputNotFoundError if the store is empty, as where it is no longer mounted: so are its lists then."""
        live = self._residents.live.number
        if max(snapshot_numbers(self._store), default=0) < live:
            raise InputNotFoundError(
                f"store {self._store.uri} lists neither snapshot {live}, which answers, nor a newer; expected it as "
                "it was: see that it is mounted"
            )

    def _keep(self, error: Exception | None) -> None:
        problem = reason_of(error) if error else None
        if problem and problem != self.problem:
            _log.warning("the lists of what is retracted and ignored could not be read: %s", problem)
        self.problem, self.is_sound = problem, not isinstance(error, (ArtifactRefusedError, InputNotFoundError))
