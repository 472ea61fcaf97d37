"""Remembers on this machine which files were held against their digests, so that not every start reads all of them.

A note is an empty file in a folder of this user. Its name tells the digest and the state of the file that was read:
machine, place, inode, size, and the times of its bytes and of its inode. Whoever changes a file makes another state,
also if he sets the time of its bytes back, for no program sets that of an inode. What a disk does to a file by itself
changes no state: it is found when the note is old, and by whoever reads everything anyway, as `firstseen verify` does.

Another user cannot write a note: where the folder could be another's, there are none. There is nothing in a note that
could be torn or overwritten, and whatever keeps one from being written makes the next start slower, and nothing else.
"""

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from foundation.store import artifact
from foundation.store.artifact import FileRecord
from foundation.store.files import Store

# Set to anything, it makes every start read every file.
CHECK_ALL = "FIRSTSEEN_CHECK_ALL"
# A file is trusted for so long: a disk may rot.
KEPT_SECONDS = 30 * 24 * 3_600
# A file that was changed less than this before it was read could be changed again without another time: some file
# systems count whole seconds, a mapped file is dated when it is written back, and a file server has its own clock.
SETTLED_SECONDS = 60


class State(NamedTuple):
    """Where a file lies, and what another one in its place, or other bytes in it, would change."""

    machine: str
    place: str
    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


def _state(path: Path) -> State | None:
    """Returns the state of a file; None if it is not there."""
    try:
        real = path.resolve(strict=True)
        found = real.stat()
    except OSError:
        return None
    # Machines that share a home may each have a disk of their own there, a copy of one image.
    machine = os.uname().nodename
    return State(machine, str(real), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _is_settled(state: State | None, last: float) -> bool:
    """Returns whether a file was changed at this time at the latest."""
    return state is not None and max(state.modified_ns, state.changed_ns) <= last * 1e9


@dataclass(frozen=True)
class CheckedFiles:
    """Checks files against their digests, and those that it has notes of in a folder no more.

    `folder` is asked for at each call; there are no notes where it is None. `scope` makes notes of one purpose no notes
    of another, and files that were changed less than `settled_seconds` ago get none.
    """

    folder: Callable[[], Path | None]
    scope: str = ""
    settled_seconds: float = SETTLED_SECONDS

    def verify(
        self, store: Store, prefix: str, files: Mapping[str, FileRecord], *, original: str | None = None
    ) -> None:
        """Checks files of a local directory as `artifact.verify_files` does, but for those that were checked before."""
        started = time.time()
        paths = {name: Path(store.local_root or "", prefix, name) for name in files}
        before = {name: _state(path) for name, path in paths.items()}

        def read(name: str) -> None:
            artifact.verify_files(store, prefix, {name: files[name]}, original=original)

        with _opened(self.folder()) as notes:
            unread = [name for name in files if not _is_kept(notes, self._note(before[name], files[name]))]
            # A digest takes a core, and two files of a large segment are about as long as all others.
            with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="digests") as pool:
                list(pool.map(read, unread))
            # A file that changed while it was read has another state now, and is read again by the next process.
            same = [name for name in unread if before[name] == _state(paths[name])]
            settled = [name for name in same if _is_settled(before[name], started - self.settled_seconds)]
            _keep(notes, [self._note(before[name], files[name]) for name in settled])

    def _note(self, state: State | None, record: FileRecord) -> str:
        """Returns the name of the note of a file."""
        whole = repr((self.scope, record.sha256, state))
        return hashlib.sha256(whole.encode("utf-8", "surrogateescape")).hexdigest()


def verify_once(store: Store, prefix: str, files: Mapping[str, FileRecord], *, original: str | None = None) -> None:
    """Checks files of a local directory as `artifact.verify_files` does, but for those that this user checked lately.

    `FIRSTSEEN_CHECK_ALL` in the environment makes it check all of them.
    """
    CheckedFiles(user_folder).verify(store, prefix, files, original=original)


def user_folder() -> Path | None:
    """Returns the folder of this user's notes, perhaps not made yet; None if all files are to be read."""
    if os.environ.get(CHECK_ALL):
        return None
    given = os.environ.get("XDG_CACHE_HOME", "")
    try:
        # The specification of these folders says that a relative path counts as none.
        cache = Path(given) if os.path.isabs(given) else Path.home() / ".cache"
    except RuntimeError:  # this user has no home
        return None
    return cache / "firstseen" / "checked" if cache.is_absolute() else None


@contextmanager
def _opened(folder: Path | None) -> Iterator[int | None]:
    """Yields the open folder; None if there is none, or if anybody else may write to it."""
    notes = _open(folder) if folder else None
    try:
        yield notes
    finally:
        if notes is not None:
            os.close(notes)


def _open(folder: Path) -> int | None:
    try:
        with suppress(FileExistsError):
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700)
        # A link would have been put there by somebody else. What is open cannot be exchanged for another folder.
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    found = os.fstat(opened)
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        os.close(opened)
        return None
    return opened


def _is_kept(notes: int | None, name: str) -> bool:
    if notes is None:
        return False
    try:
        return time.time() - os.stat(name, dir_fd=notes, follow_symlinks=False).st_mtime < KEPT_SECONDS
    except OSError:
        return False


def _keep(notes: int | None, names: Sequence[str]) -> None:
    """Writes notes, and removes those that nobody counts on any more."""
    if notes is None or not names:
        return
    with suppress(OSError):
        for old in os.listdir(notes):
            if not _is_kept(notes, old):
                os.unlink(old, dir_fd=notes)
        for name in names:
            os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=notes))
