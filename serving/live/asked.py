"""Follows one query through the engine: what was asked, of which snapshot, until when, and who waits for it."""

import math
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from time import monotonic

import numpy as np

from serving.live.errors import DeadlineExceeded, GivenUp, NotNowError
from serving.live.loaded import Loaded
from serving.match.decoded_query import DecodedQuery
from serving.match.match import Outcome
from serving.match.options import MatchOptions


class Asked:
    """A query on its way; `future` is told once what it came to.

    It has `decoded` once it is, and `vector` from the start if it was asked by its embedding. Whoever waits for it may
    cancel the future at any time: no further step is then taken.
    """

    decoded: DecodedQuery

    def __init__(self, options: MatchOptions, loaded: Loaded, *, owner: Hashable, on_end: Callable[[], None]):
        """Requests take turns: `owner` is the one that it belongs to. `on_end` is called once nothing more is done."""
        self.options = options
        self.loaded = loaded
        self.owner = owner
        self.vector: np.ndarray | None = None
        self.future: Future[Outcome] = Future()
        self.waited_seconds = 0.0
        self._asked_at = self._waits_since = monotonic()
        self._deadline_seconds = math.inf
        self._on_end: Callable[[], None] | None = on_end

    def begin(self, deadline_seconds: float) -> None:
        """Says that it is in the hands of the engine from now on, for so long at most."""
        self._asked_at = self._waits_since = monotonic()
        self._deadline_seconds = deadline_seconds

    def wait(self) -> None:
        """Says that it waits for its next step."""
        self._waits_since = monotonic()

    def go_on(self) -> NotNowError | None:
        """Says that its next step begins, and returns why it is not worth it, if it is not."""
        now = monotonic()
        self.waited_seconds += now - self._waits_since
        if self.future.cancelled():
            return GivenUp("nobody waits for the query any more; expected somebody: ask again")
        if now - self._asked_at > self._deadline_seconds:
            return DeadlineExceeded(
                f"the query was not answered in {self._deadline_seconds:g} s; expected that there is less to do: ask "
                "again, or start with a longer time (--deadline-seconds)"
            )
        return None

    def end(self, result: Outcome | Exception) -> None:
        """Tells what it came to; what it held is free before anybody is told. Calls after the first do nothing."""
        on_end, self._on_end = self._on_end, None
        if on_end is None:
            return
        on_end()
        if not self.future.set_running_or_notify_cancel():
            return
        if isinstance(result, Outcome):
            self.future.set_result(result)
        else:
            self.future.set_exception(result)
