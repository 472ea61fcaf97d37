"""Makes the folders that a training writes to, and says which flag names another where one cannot be used."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from foundation.errors import FirstseenError, InputNotFoundError, TemporaryError, UsageError
from foundation.store.files import Store


def make_folder(folder: Path, *, flag: str) -> None:
    """Makes a folder and its parents if need be; raises InputNotFoundError where it cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # On a disk that is mounted read-only, a folder that is there already can be "made" all the same.
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        if _is_disk_full(error):
            raise
        raise InputNotFoundError(
            f"cannot write to {folder}: {error.strerror}; name a folder that you may write to with {flag}"
        ) from error


def require_outside(store: Store, folder: Path | None, *, flag: str) -> None:
    """Raises UsageError on a folder inside a local store, where nobody would account for what lies in it."""
    if folder and store.local_root and folder.resolve().is_relative_to(store.local_root.resolve()):
        raise UsageError(f"{flag} is {folder}, inside the store {store.uri}; expected a folder outside of it")


@contextlib.contextmanager
def full_disk_is_temporary(what: str, *, flag: str) -> Iterator[None]:
    """Raises TemporaryError when what is written inside meets a full disk; `flag` names another folder for it."""
    try:
        yield
    except FirstseenError:
        raise
    except Exception as error:
        if not _is_disk_full(error):
            raise
        raise TemporaryError(
            f"no space left for {what}: free some, or name another folder with {flag}, and run again; it goes on from "
            "what was finished"
        ) from error


def _is_disk_full(error: Exception) -> bool:
    # HDF5 and TensorFlow raise errors of their own, with the system's message in their text.
    return getattr(error, "errno", None) == errno.EDQUOT or os.strerror(errno.ENOSPC) in str(error)
