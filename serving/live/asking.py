"""Lets many ask a thread for a look: one future for all who ask before it begins."""

from concurrent.futures import Future
from threading import Event, Lock
from typing import Generic, TypeVar

from serving.live.errors import Closed

Result = TypeVar("Result")


class Asking(Generic[Result]):
    """What a thread is asked for, and whether it is to end; threads may share it. `waking` is set when either changes.

    Whoever is told together with others may not cancel the future.
    """

    def __init__(self, waking: Event):
        self._waking = waking
        self._next: Future[Result] | None = None
        self._changing = Lock()
        self.is_closed = False

    def ask(self) -> Future[Result]:
        """Returns the future of the next look; raises Closed after `close`."""
        with self._changing:
            if self.is_closed:
                raise Closed
            told = self._next = self._next or Future()
        self._waking.set()
        return told

    def take(self) -> Future[Result] | None:
        """Returns whom the look that begins now is for, if anybody asked; who asks from now on waits for another."""
        with self._changing:
            told, self._next = self._next, None
            return told

    def close(self) -> None:
        """Wakes the thread for its end; nobody may ask any more."""
        with self._changing:
            self.is_closed = True
        self._waking.set()
