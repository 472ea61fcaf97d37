"""Gives each training one locked directory, which it resumes from when it was interrupted."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from foundation.errors import InputNotFoundError, TemporaryError
from training.fitting.folders import full_disk_is_temporary, make_folder

FLAG = "--work-dir"


def key_of(settings: Sequence[object]) -> str:
    """Returns the name that a training has by everything that decides its outcome: 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:16]


@contextlib.contextmanager
def working(key: str, *, work_dir: Path | None = None) -> Iterator[Path]:
    """Yields the locked directory of that training, and removes it if no file is left in it.

    Raises TemporaryError while another process holds it, or on a full disk; InputNotFoundError where it cannot be made.
    """
    directory = (work_dir or _default_work_dir()) / key
    make_folder(directory, flag=FLAG)
    lock = os.open(directory, os.O_RDONLY)
    try:
        if not _locked(lock, directory):
            raise TemporaryError(
                f"the same training runs already in {directory}; wait for it to end, or change an option"
            )
        try:
            export = f"its export in {tempfile.gettempdir()} (TMPDIR names another folder)"
            with full_disk_is_temporary(f"the training in {directory}, or for {export}", flag=FLAG):
                yield directory
        finally:
            _remove_without_files(directory)
    finally:
        os.close(lock)


def _default_work_dir() -> Path:
    """Returns the user's own folder for caches, as the XDG Base Directory Specification names it."""
    try:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError as error:
        # As in a container whose user has no entry in /etc/passwd.
        raise InputNotFoundError(f"this user has no home folder to work in; name a folder with {FLAG}") from error
    return Path(cache, "firstseen", "training")


def _locked(lock: int, directory: Path) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it may have finished, and removed the directory, since it was opened here.
        return os.path.samestat(os.fstat(lock), directory.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _remove_without_files(directory: Path) -> None:
    """Removes folders that a training left behind before it wrote anything to resume from."""
    if not any(path.is_file() for path in directory.rglob("*")):
        shutil.rmtree(directory, ignore_errors=True)
