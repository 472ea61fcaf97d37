"""Where a training works: one locked directory for each training, which an interrupted one resumes from."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from foundation.errors import FirstseenError, TemporaryError


def key_of(settings: Sequence[object]) -> str:
    """Returns the name that a training has by everything that decides its outcome: 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:16]


@contextlib.contextmanager
def working(key: str, *, work_dir: Path | None = None) -> Iterator[Path]:
    """Yields the locked directory of that training; raises TemporaryError while another process holds it, or on a full
    disk."""
    directory = (work_dir or _default_work_dir()) / key
    directory.mkdir(parents=True, exist_ok=True)
    lock = os.open(directory, os.O_RDONLY)
    try:
        if not _locked(lock, directory):
            raise TemporaryError(
                f"the same training runs already in {directory}; wait for it to end, or change an option"
            )
        with _full_disk_is_temporary(directory):
            yield directory
    finally:
        os.close(lock)


def _default_work_dir() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache, "firstseen", "training")


def _locked(lock: int, directory: Path) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it may have finished, and removed the directory, since it was opened here.
        return os.path.samestat(os.fstat(lock), directory.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


@contextlib.contextmanager
def _full_disk_is_temporary(directory: Path) -> Iterator[None]:
    try:
        yield
    except FirstseenError:
        raise
    except Exception as error:
        # HDF5 and TensorFlow raise errors of their own, with the system's message in their text.
        if getattr(error, "errno", None) != errno.EDQUOT and os.strerror(errno.ENOSPC) not in str(error):
            raise
        raise TemporaryError(
            f"no space left for the training in {directory}, for its decoded photos, or for its export in "
            f"{tempfile.gettempdir()}: free some, or name another folder with --work-dir, and run again; it resumes "
            "from the last epoch"
        ) from error
