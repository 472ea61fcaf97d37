"""Removes what killed processes left in the middle of a write, which nobody can read and which may be of any photo."""

import socket
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone

from foundation.errors import TemporaryError
from foundation.store.files import Store, StoredFile
from foundation.store.gc import GRACE_HOURS
from foundation.store.lookups import LookupBegun, end_lookup, lookup_directory, unfinished_lookups
from foundation.store.unfinished import is_at_work
from pipelines.purge.file_traces import UPLOAD

# Whoever is at a file writes to it all the time.
QUIET = timedelta(minutes=1)


def remove_uploads(store: Store) -> None:
    """Removes uploads that were cut off; one that somebody wrote to in the last minute stays, and fails the proof."""
    store.delete(quiet(file for file in store.walk() if UPLOAD.search(file.path)))


def remove_lookups(store: Store) -> None:
    """Removes what lookups left that were cut off: answers name photos, and the same command looks them up again.

    Raises TemporaryError, and removes nothing, while one may be at work: whether a process of another machine is at it
    cannot be asked, so that one is passed over for as long as `firstseen gc` leaves it alone.
    """
    lookups = unfinished_lookups(store)
    for name, begun in lookups.items():
        _require_nobody_at_work(store, lookup_directory(name), begun)
    for name in lookups:
        end_lookup(store, name)


def _require_nobody_at_work(store: Store, directory: str, begun: Sequence[LookupBegun]) -> None:
    away = sorted({one.host for one in begun} - {socket.gethostname()})
    young = datetime.now(timezone.utc) - (timedelta(hours=GRACE_HOURS) if away else QUIET)
    if any(map(is_at_work, begun)) or any(file.modified_at >= young for file in store.walk(directory)):
        cut_off = (
            f", or, if that of {away[0]} was cut off and no other machine writes into the store, after `firstseen gc "
            "--grace 0`"
            if away
            else ""
        )
        raise TemporaryError(
            f"{directory} is being written, and may name a purged photo; expected no lookup at work: run again when it "
            f"is done{cut_off}"
        )


def quiet(files: Iterable[StoredFile]) -> list[str]:
    """Returns the paths of those files that nobody wrote to in the last minute."""
    now = datetime.now(timezone.utc)
    return [file.path for file in files if now - file.modified_at > QUIET]
