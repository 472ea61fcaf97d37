"""Removes what killed processes left in the middle of a write, which nobody can read and which may be of any photo."""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

from foundation.store.files import Store, StoredFile
from pipelines.purge.file_traces import UPLOAD

# Whoever is at a file writes to it all the time.
QUIET = timedelta(minutes=1)


def remove_uploads(store: Store) -> None:
    """Removes uploads that were cut off; one that somebody wrote to in the last minute stays, and fails the proof."""
    store.delete(quiet(file for file in store.walk() if UPLOAD.search(file.path)))


def quiet(files: Iterable[StoredFile]) -> list[str]:
    """Returns the paths of those files that nobody wrote to in the last minute."""
    now = datetime.now(timezone.utc)
    return [file.path for file in files if now - file.modified_at > QUIET]
