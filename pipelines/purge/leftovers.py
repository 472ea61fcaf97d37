"""Removes what killed processes left in the middle of a write, which nobody can read and which may be of any photo."""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

from foundation.errors import TemporaryError
from foundation.store.files import Store, StoredFile
from foundation.store.lookups import end_lookup, lookups_at_work, unfinished_lookups
from pipelines.purge.file_traces import UPLOAD

# Whoever is at a file writes to it all the time.
QUIET = timedelta(minutes=1)


def remove_uploads(store: Store) -> None:
    """Removes uploads that were cut off; one that somebody wrote to in the last minute stays, and fails the proof."""
    store.delete(quiet(file for file in store.walk() if UPLOAD.search(file.path)))


def remove_lookups(store: Store) -> None:
    """Removes what lookups left that were cut off: answers name photos, and the same command looks them up again.

    Raises TemporaryError while one is at work.
    """
    if at_work := lookups_at_work(store):
        raise TemporaryError(f"{at_work[0]} is being written, and may name a purged photo; run again when it is done")
    for name in unfinished_lookups(store):
        end_lookup(store, name)


def quiet(files: Iterable[StoredFile]) -> list[str]:
    """Returns the paths of those files that nobody wrote to in the last minute."""
    now = datetime.now(timezone.utc)
    return [file.path for file in files if now - file.modified_at > QUIET]
