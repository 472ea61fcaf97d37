"""Remembers on this machine which files were held against their digests: a process need not read what another has read.

A note is an empty file in a folder that this user alone may write to. Its name tells the lookup, the digest, and the
state of the file (place, inode, size, times of its bytes and of its inode): whoever changes a file makes another state,
for no program sets the time of an inode. Another user cannot write a note, and where the folder could be another's,
there are none: every process reads what it opens. The next lookup reads everything anew, since a disk may rot.
"""

import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from foundation.store import artifact
from foundation.store.artifact import FileRecord
from foundation.store.files import Store

# Notes of machines on which a lookup ended, or was killed, are of no use to anybody.
OLD_SECONDS = 7 * 24 * 3_600


@dataclass(frozen=True)
class Verified:
    """Checks files against their digests, once on this machine for each lookup."""

    lookup_id: str

    def verify(
        self, store: Store, prefix: str, files: Mapping[str, FileRecord], *, original: str | None = None
    ) -> None:
        """Checks files of a local directory as `artifact.verify_files` does, but for those that were checked before."""
        folder = notes_folder()
        for name, record in files.items():
            path = Path(store.local_root or "", prefix, name)
            before = self._state(path, record)
            if folder and before and (folder / before).exists():
                continue
            artifact.verify_files(store, prefix, {name: record}, original=original)
            # A file that changed while it was read has another state now, and is read again by the next process.
            if folder and before and before == self._state(path, record):
                with suppress(OSError):
                    (folder / before).touch(mode=0o600)

    def _state(self, path: Path, record: FileRecord) -> str | None:
        try:
            real = path.resolve(strict=True)
            found = real.stat()
        except OSError:
            return None
        state = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        whole = (self.lookup_id, record.sha256, str(real), *state)
        return hashlib.sha256(repr(whole).encode("utf-8", "surrogateescape")).hexdigest()


def notes_folder() -> Path | None:
    """Returns the folder of this user's notes; None if anybody else may write to it, or it cannot be made."""
    folder = Path(tempfile.gettempdir(), f"firstseen-verified-{os.getuid()}")
    try:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        # A link would have been put there by somebody else, and so would a folder of another owner.
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            return None
        _remove_old(folder.iterdir())
    except OSError:
        return None
    return folder


def _remove_old(notes: Iterator[Path]) -> None:
    for note in notes:
        with suppress(OSError):
            if note.lstat().st_mtime < time.time() - OLD_SECONDS:
                note.unlink()
