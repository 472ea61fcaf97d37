"""Looks for new snapshots of a store, opens each beside the one that answers, and lets it answer if it is sound."""

import logging
import math
from concurrent.futures import Future
from datetime import datetime, timezone
from threading import Thread
from time import monotonic

from foundation.errors import AccessDeniedError, FirstseenError, InputNotFoundError, TemporaryError
from foundation.store.files import Store, StoredFile
from foundation.store.snapshots import snapshot_numbers
from serving.live.asking import Asking
from serving.live.errors import Closed, SnapshotNotLoaded
from serving.live.loaded import Loaded
from serving.live.observer import Observer
from serving.live.opening import open_loaded
from serving.live.options import LiveOptions
from serving.live.pause import Pause
from serving.live.refused import RefusedSnapshots, files_of, reason_of
from serving.live.residents import Residents
from serving.live.state import Reloaded
from serving.live.wanted import Wanted

_log = logging.getLogger(__name__)

# While a snapshot waits for its place, it is seen so often whether there is room.
TURN_CHECK_SECONDS = 1.0
# Hardly more snapshots are published between two looks at the store.
MOST_UNSEEN = 10
# At the end an opening is waited for so long; of a large snapshot it takes minutes, and it serves nobody any more.
CLOSE_SECONDS = 10.0


class Loader:
    """A thread that opens snapshots; what it opened is in `residents`. `close` ends it."""

    def __init__(self, store: Store, options: LiveOptions, observe: Observer, residents: Residents):
        self._store, self._options, self._observe, self._residents = store, options, observe, residents
        self.refused = RefusedSnapshots(store)
        self.looked_at = datetime.now(timezone.utc)
        self.problem: str | None = None
        self._numbers = snapshot_numbers(store) or [residents.live.number]
        self._pause = Pause(options.snapshot_poll_seconds)
        self._looked_at = monotonic()
        self._load_seconds = 1.0
        self._newer: int | None = None
        self._begun: list[Future[Reloaded]] = []
        self._wanted = Wanted()
        # A snapshot that goes may be what another one waits for.
        self._waking = residents.freed
        self._asking: Asking[Reloaded] = Asking(self._waking)
        self._thread = Thread(target=self._run, name="load", daemon=True)
        self._thread.start()

    def reload(self) -> Future[Reloaded]:
        """Looks for new snapshots at once, also those that were refused; the future is told what came of it.

        It is the same for all who ask before it begins; nobody may cancel it.
        """
        return self._asking.ask()

    def want(self, number: int) -> SnapshotNotLoaded:
        """Opens a snapshot that a request names, in the background; returns the error that says when to ask again.

        Costs nothing. Raises InputNotFoundError if the store had none of that number when it was looked at, or if it
        was refused.
        """
        self._require_there(number)
        self._wanted.add(number)
        self._waking.set()
        seconds = math.ceil(self._load_seconds)
        return SnapshotNotLoaded(
            f"snapshot {number} is not loaded; expected {self._residents.live.number}, the live one, or patience: ask "
            f"again in {seconds} s",
            retry_after_seconds=seconds,
        )

    def close(self) -> None:
        """Ends the thread; who waits for a reload is told."""
        self._asking.close()
        self._thread.join(CLOSE_SECONDS)
        asked = self._asking.take()
        for told in [*self._begun, *([asked] if asked else [])]:
            told.set_exception(Closed())

    def _require_there(self, number: int) -> None:
        if number in self.refused.reasons:
            raise InputNotFoundError(
                f"snapshot {number} is refused, for it cannot be read; expected another, as the live one, "
                f"{self._residents.live.number}: the service's status says why"
            )
        # The next numbers may have been published since the last look, as where another server took one up before.
        first, last = self._numbers[0], self._numbers[-1]
        is_next = last < number <= last + MOST_UNSEEN and not self._wanted.is_missing(number)
        if number not in self._numbers and not is_next:
            raise InputNotFoundError(f"no snapshot {number}; expected one of {first} to {last}")

    def _run(self) -> None:
        while not self._asking.is_closed:
            left = self._looked_at + self._options.snapshot_poll_seconds - monotonic()
            self._waking.wait(min(left, TURN_CHECK_SECONDS) if self._wanted or self._newer else left)
            self._waking.clear()
            asked = self._asking.take()
            self._begun += [asked] if asked else []
            before = self._residents.live.number
            try:
                self._work(again=bool(asked))
            except Exception as error:
                # Whatever it is, the snapshot that answers goes on doing so, and the next look tries again.
                self._fail(error)
            if self._newer is None:
                self._tell(before)

    def _work(self, *, again: bool) -> None:
        self._residents.tidy()
        wanted = self._next_wanted()
        is_due = monotonic() - self._looked_at >= self._options.snapshot_poll_seconds
        # An opening takes a while: whatever answers from then on goes before what a request named.
        is_looking = again or is_due or wanted is not None
        if is_looking:
            self._look(again=again)
        if self._newer is not None:
            self._take_up(self._newer)
        elif wanted is not None:
            self._open_wanted(wanted)
        if is_looking and self._newer is None and not self._pause.is_on:
            self.problem = None

    def _look(self, *, again: bool) -> None:
        """Finds out which snapshot has to answer."""
        self._looked_at = monotonic()
        if again:
            self.refused.forget()
            self._pause.end()
        numbers = snapshot_numbers(self._store)
        if not numbers:
            raise InputNotFoundError(f"store {self._store.uri} has no snapshot any more; expected one")
        self._numbers = numbers
        self.refused.forget_changed()
        self.looked_at = datetime.now(timezone.utc)
        newest = numbers[-1]
        is_known = newest == self._residents.live.number or newest in self.refused.reasons
        self._newer = None if is_known or self._pause.is_on else newest

    def _take_up(self, number: int) -> None:
        """Lets a newer snapshot answer, or refuses it, once there is room for it beside the one that answers."""
        named = next((one for one in self._residents.loaded if one.number == number), None)
        if named is None and not self._residents.make_room(for_live=True):
            old = self._residents.loaded[-1]
            self.problem = f"snapshot {number} waits until no request is answered by snapshot {old.number} any more"
            return
        self._newer = None
        try:
            loaded = named or self._open(number)
        except Exception:
            self._pause.begin()
            raise
        self._pause.end()
        if loaded:
            self._residents.swap(loaded)
            self._residents.tidy()
            self.refused.forget(before=number)
            self.problem = None
            _log.info("snapshot %d answers", number)
        self._observe.swap("swapped" if loaded else "refused")

    def _next_wanted(self) -> int | None:
        """Returns what a request named, once there is room for it."""
        number = self._wanted.next(besides={one.number for one in self._residents.loaded})
        return number if number is None or self._has_room(number) else None

    def _has_room(self, number: int) -> bool:
        # For a number that may not be there at all, no snapshot that others use has to go.
        return number not in self._numbers or self._residents.make_room(for_live=False)

    def _open_wanted(self, number: int) -> None:
        is_missing = number not in self._numbers
        if not self._has_room(number):
            return
        try:
            loaded = None if is_missing else self._open(number, is_pinned=True)
        finally:
            # If it cannot be read now, whoever asks again may be told something better.
            self._wanted.drop(number, is_missing=is_missing)
        if loaded:
            self._residents.add(loaded)

    def _open(self, number: int, *, is_pinned: bool = False) -> Loaded | None:
        """Opens and checks a snapshot; None if it is refused, or gone. What may pass is raised."""
        started = monotonic()
        files = files_of(self._store, number)
        try:
            loaded = open_loaded(self._store, number, self._options, beside=self._residents.loaded, is_pinned=is_pinned)
        # A full disk, a right that is missing, too little memory: nothing is wrong with the snapshot.
        except (TemporaryError, AccessDeniedError):
            raise
        except FirstseenError as error:
            if number in snapshot_numbers(self._store):
                self._refuse(number, error, files)
            return None
        self._load_seconds = monotonic() - started
        if self._asking.is_closed:
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
            # What nobody foresaw is nothing that a user can mend: the log says where it arose.
            unforeseen = None if isinstance(error, (FirstseenError, OSError)) else error
            _log.warning("no newer snapshot could be read: %s", problem, exc_info=unforeseen)
        self.problem = problem

    def _tell(self, before: int) -> None:
        begun, self._begun = self._begun, []
        live = self._residents.live.number
        for told in begun:
            told.set_result(Reloaded(before=before, live=live, refused=self.refused.reasons, problem=self.problem))
