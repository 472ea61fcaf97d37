"""Looks for new snapshots of a store, opens each beside the one that answers, and lets it answer if it is sound."""

import logging
import math
from concurrent.futures import Future
from datetime import datetime, timezone
from threading import Lock, Thread
from time import monotonic

from foundation.errors import ArtifactRefusedError, InputNotFoundError, TemporaryError
from foundation.store.files import Store, StoredFile
from foundation.store.snapshots import snapshot_numbers
from serving.live.errors import Closed, SnapshotNotLoaded
from serving.live.loaded import Loaded
from serving.live.observer import Observer
from serving.live.opening import open_loaded
from serving.live.options import LiveOptions
from serving.live.refused import RefusedSnapshots, files_of, reason_of
from serving.live.residents import Residents
from serving.live.state import Reloaded

_log = logging.getLogger(__name__)

# Numbers that requests named, and that wait to be opened: more are not remembered, nor any for longer than this.
MOST_WANTED = 16
WANTED_SECONDS = 60.0
# While a snapshot waits for its place, it is seen so often whether there is room.
TURN_CHECK_SECONDS = 1.0
# At the end an opening is waited for so long; of a large snapshot it takes minutes, and it serves nobody any more.
CLOSE_SECONDS = 10.0


class Loader:
    """A thread that opens snapshots; what it opened is in `residents`. `close` ends it."""

    def __init__(self, store: Store, options: LiveOptions, observe: Observer, residents: Residents):
        self._store, self._options, self._observe, self._residents = store, options, observe, residents
        self.refused = RefusedSnapshots(store)
        self.looked_at = datetime.now(timezone.utc)
        self.problem: str | None = None
        self._numbers: list[int] = []
        self._looked_at = monotonic()
        self._load_seconds = 1.0
        self._newer: int | None = None
        self._reloads: list[Future[Reloaded]] = []
        self._wanted: dict[int, float] = {}
        self._changing = Lock()
        # A snapshot that goes may be what another one waits for.
        self._waking = residents.freed
        self._is_closed = False
        self._thread = Thread(target=self._run, name="load", daemon=True)
        self._thread.start()

    def reload(self) -> Future[Reloaded]:
        """Looks for new snapshots at once, also those that were refused; the future is told what came of it."""
        told: Future[Reloaded] = Future()
        with self._changing:
            if self._is_closed:
                raise Closed("the service is ending; expected one that runs: ask again")
            self._reloads.append(told)
        self._waking.set()
        return told

    def want(self, number: int) -> SnapshotNotLoaded:
        """Opens a snapshot that a request names, in the background; returns the error that says when to ask again.

        Raises InputNotFoundError if the store has none of that number, ArtifactRefusedError if it was refused.
        """
        self._require_listed(number)
        if reason := self.refused.reasons.get(number):
            raise ArtifactRefusedError(reason)
        with self._changing:
            if len(self._wanted) < MOST_WANTED:
                self._wanted[number] = monotonic()
        self._waking.set()
        seconds = math.ceil(self._load_seconds)
        return SnapshotNotLoaded(
            f"snapshot {number} is not loaded; expected {self._residents.live.number}, the live one, or patience: ask "
            f"again in {seconds} s",
            retry_after_seconds=seconds,
        )

    def close(self) -> None:
        """Ends the thread; who waits for a reload is told."""
        with self._changing:
            self._is_closed = True
        self._waking.set()
        self._thread.join(CLOSE_SECONDS)
        for told in self._reloads:
            told.set_exception(Closed("the service is ending; expected one that runs: ask again"))

    def _require_listed(self, number: int) -> None:
        # It may have been published since the last look.
        numbers = self._numbers if number in self._numbers else snapshot_numbers(self._store)
        if number not in numbers:
            there = f"it has {numbers[0]} to {numbers[-1]}" if numbers else "it has none"
            raise InputNotFoundError(f"no snapshot {number} in store {self._store.uri}; {there}")

    def _run(self) -> None:
        while not self._is_closed:
            left = self._looked_at + self._options.snapshot_poll_seconds - monotonic()
            self._waking.wait(min(left, TURN_CHECK_SECONDS) if self._wanted or self._newer else left)
            self._waking.clear()
            with self._changing:
                reloads = list(self._reloads)
            before = self._residents.live.number
            try:
                self._work(again=bool(reloads))
            except Exception as error:
                # Whatever it is, the snapshot that answers goes on doing so, and the next look tries again.
                self._fail(error)
            if self._newer is None:
                self._tell(reloads, before)

    def _work(self, *, again: bool) -> None:
        self._residents.tidy()
        is_due = again or monotonic() - self._looked_at >= self._options.snapshot_poll_seconds
        if is_due:
            self._look(again=again)
        if self._newer is not None:
            self._take_up(self._newer)
        if self._newer is None:
            self._open_wanted()
        if is_due:
            self.problem = None

    def _look(self, *, again: bool) -> None:
        """Finds out which snapshot has to answer."""
        self._looked_at = monotonic()
        if again:
            self.refused.forget()
        self._numbers = snapshot_numbers(self._store)
        self.refused.forget_changed()
        if not self._numbers:
            raise InputNotFoundError(f"store {self._store.uri} has no snapshot any more; expected one")
        self.looked_at = datetime.now(timezone.utc)
        newest = self._numbers[-1]
        is_known = newest == self._residents.live.number or newest in self.refused.reasons
        self._newer = None if is_known else newest

    def _take_up(self, number: int) -> None:
        """Lets a newer snapshot answer, or refuses it, once there is room for it beside the one that answers."""
        named = next((one for one in self._residents.loaded if one.number == number), None)
        if named is None and not self._residents.make_room(for_live=True):
            return
        self._newer = None
        loaded = named or self._open(number)
        if loaded:
            self._residents.swap(loaded)
            self._residents.tidy()
            self.refused.forget(before=number)
            _log.info("snapshot %d answers", number)
        self._observe.swap("swapped" if loaded else "refused")

    def _open_wanted(self) -> None:
        """Opens what a request named, once there is room for it."""
        known = {one.number for one in self._residents.loaded} | self.refused.reasons.keys()
        oldest = monotonic() - WANTED_SECONDS
        with self._changing:
            self._wanted = {one: at for one, at in self._wanted.items() if at > oldest and one not in known}
            number = next(iter(self._wanted), None)
        if number is None or not self._residents.make_room(for_live=False):
            return
        with self._changing:
            # If it fails, whoever still wants it asks again.
            del self._wanted[number]
        if loaded := self._open(number, is_pinned=True):
            self._residents.add(loaded)

    def _open(self, number: int, *, is_pinned: bool = False) -> Loaded | None:
        """Opens and checks a snapshot; None if it is refused, or gone. Raises TemporaryError."""
        started = monotonic()
        files = files_of(self._store, number)
        try:
            loaded = open_loaded(self._store, number, self._options, beside=self._residents.loaded, is_pinned=is_pinned)
        except (TemporaryError, MemoryError):
            raise
        except Exception as error:
            self._refuse(number, error, files)
            return None
        self._load_seconds = monotonic() - started
        if self._is_closed:
            loaded.close()
            return None
        return loaded

    def _refuse(self, number: int, error: Exception, files: frozenset[StoredFile]) -> None:
        reason = reason_of(error)
        if self.refused.add(number, reason, files):
            _log.error("snapshot %d is refused, %d answers: %s", number, self._residents.live.number, reason)

    def _fail(self, error: Exception) -> None:
        self._newer = None
        self._observe.swap("failed")
        problem = reason_of(error)
        if self.problem != problem:
            _log.warning("no newer snapshot could be read: %s", problem)
        self.problem = problem

    def _tell(self, reloads: list[Future[Reloaded]], before: int) -> None:
        with self._changing:
            self._reloads = [told for told in self._reloads if told not in reloads]
        live = self._residents.live.number
        for told in reloads:
            told.set_result(Reloaded(before=before, live=live, refused=self.refused.reasons, problem=self.problem))
