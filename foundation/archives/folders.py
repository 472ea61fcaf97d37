"""Lists and reads folder trees: every file is an entry, and nothing that could hang is opened."""

import errno
import glob
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, BinaryIO

from foundation.archives.photos import Entry, File, UnreadablePhotoError, require_size
from foundation.archives.uris import path_of, printable_path, uri_of
from foundation.errors import InputNotFoundError, TemporaryError

# What the system says when a network's file system does not answer, or when too many files are open: nothing follows of
# the file that was asked for. EIO is none of them: a bad block says the same.
CROWDED = (errno.EMFILE, errno.ENFILE)
AWAY = (
    *(errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN),
    *(errno.ENETUNREACH, *CROWDED),
)
PHOTO_SUFFIXES = (".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def check_folder(folder: Path) -> None:
    """Raises InputNotFoundError unless the entries of a folder can be listed."""
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise InputNotFoundError(f"archive {folder} cannot be listed ({error.strerror}); check its rights") from error


def is_folder(uri: str) -> bool:
    """Returns whether there is a folder."""
    return path_of(uri).is_dir()


def matching(uri: str) -> list[Entry]:
    """Returns the file of this name, or the files that match a pattern; nothing if there is none.

    Their photo_ids begin below the deepest folder that exists: a folder of that name is no pattern.
    """
    pattern = path_of(uri)
    if pattern.is_file():
        return [entry_of(pattern, pattern.parent)]
    folder = next(parent for parent in pattern.parents if parent.is_dir())
    names = glob.glob(str(pattern.relative_to(folder)), root_dir=folder)
    # The file system lists in an order of its own: sorted, two listings of one archive are the same.
    return [entry_of(folder / name, folder) for name in sorted(names) if (folder / name).is_file()]


def list_below(uri: str) -> Iterator[Entry]:
    """Yields every file below the folder at a `file://` URI; see `list_folder`."""
    return list_folder(path_of(uri))


def list_folder(folder: Path) -> Iterator[Entry]:
    """Yields every file below a folder in a stable order, hidden and unreadable ones too: nothing is dropped.

    Links are not followed, neither to folders, which can form loops, nor to files, which can lead out of the archive:
    each is an entry, and becomes a reject, as does a folder that cannot be listed, with `is_folder`. The photo_id is
    the path relative to the folder, as text. Raises TemporaryError if the folder itself is gone by the end, or another
    one is in its place: what the disk no longer shows is not known to be removed.
    """
    check_folder(folder)
    before = _identity(folder)
    yield from _below(folder)
    if before is None or _identity(folder) != before:
        raise TemporaryError(f"archive {folder} went away while it was listed; mount it again, and run again")


def _identity(folder: Path) -> tuple[int, int] | None:
    """Returns what tells a folder from one that has taken its place, such as that of a disk that is not mounted."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _below(top: Path) -> Iterator[Entry]:
    # Whatever the suffix: a photo without one would be missed for good, and what is none costs one reject.
    unlistable: list[OSError] = []
    for directory, folders, files in os.walk(top, onerror=unlistable.append):
        # Sorting in place decides where `os.walk` goes next: two listings of one archive are the same.
        folders.sort()
        linked = [name for name in folders if Path(directory, name).is_symlink()]
        yield from (entry_of(Path(directory, name), top) for name in sorted([*files, *linked]))
        # `os.walk` reports a folder that it cannot list before it goes on with the next one.
        yield from _unknown(unlistable, top)
    yield from _unknown(unlistable, top)


def _unknown(errors: list[OSError], top: Path) -> Iterator[Entry]:
    while errors:
        yield replace(entry_of(Path(errors.pop().filename), top), size_bytes=-1, is_folder=True)


def entry_of(path: Path, folder: Path) -> Entry:
    """Returns the entry of one file of a folder; `size_bytes` is -1 for what is no regular file, or cannot be seen."""
    photo_id = printable_path(path.relative_to(folder))
    try:
        status = path.lstat()
    except (OSError, ValueError):
        return Entry(photo_id, uri_of(path), -1, None)
    size_bytes = status.st_size if stat.S_ISREG(status.st_mode) else -1
    return Entry(photo_id, uri_of(path), size_bytes, _time_of(status))


def _time_of(status: os.stat_result) -> datetime | None:
    # In whole seconds, since file systems and copies keep different fractions: a copied archive is not a changed one.
    try:
        return datetime.fromtimestamp(int(status.st_mtime), timezone.utc)
    except (OverflowError, ValueError, OSError):
        return None


def look_up(uri: str) -> File:
    """Returns the state of a regular file, or of the target of a link; raises InputNotFoundError or TemporaryError."""
    path = path_of(uri)
    try:
        with _answering(path):
            status = path.stat()
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or error
        raise InputNotFoundError(f"cannot read {printable_path(path)}: {problem}; expected a file") from error
    if not stat.S_ISREG(status.st_mode):  # to open a pipe waits for its writer
        raise InputNotFoundError(f"cannot read {printable_path(path)}: it is not a regular file; expected a file")
    etag = f"{status.st_size}-{int(status.st_mtime)}"
    return File(uri, status.st_size, _time_of(status), etag, f"{status.st_size}-{status.st_mtime_ns}")


def open_file(file: File) -> BinaryIO:
    """Opens a file that was looked up; raises InputNotFoundError or TemporaryError; its reads, TemporaryError."""
    path = path_of(file.uri)
    try:
        with _answering(path):
            return io.BufferedReader(_Answering(path, path.open("rb", buffering=0)))
    except OSError as error:
        raise InputNotFoundError(f"cannot read {printable_path(path)}: {error.strerror}; check its rights") from error


class _Answering(io.RawIOBase):
    """A file whose reads raise TemporaryError, too, where its disk has gone away since it was opened."""

    def __init__(self, path: Path, file: io.FileIO):
        self._path, self._file = path, file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        with _answering(self._path):
            return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def read_range(file: File, offset: int, length: int) -> bytes:
    """Returns bytes of a file; raises UnreadablePhotoError, also if it has changed since it was looked up."""
    name = printable_path(path_of(file.uri))
    try:
        with _answering(path_of(file.uri)), path_of(file.uri).open("rb") as opened:
            status = os.fstat(opened.fileno())
            if f"{status.st_size}-{status.st_mtime_ns}" != file.version:
                raise UnreadablePhotoError(f"{name} changed while it was read; expected a finished file: run again")
            # A file of its own for each read, and no shared position in it: many threads read one shard at once.
            return os.pread(opened.fileno(), length, offset)
    except OSError as error:
        raise UnreadablePhotoError(f"{name} cannot be read: {error.strerror}") from error


def read_file(path: Path, *, follow_links: bool = True) -> bytes:
    """Returns the bytes of one file; never opens pipes or devices, which could hang.

    A file that changes while it is read is read once more. Raises UnreadablePhotoError, also when it changes again,
    PhotoTooLargeError before anything is read, and TemporaryError where a network's file system does not answer.
    """
    name = printable_path(path)
    # Looked at before it is opened: `open` on a pipe waits until somebody writes to it, perhaps for ever.
    try:
        with _answering(path):
            status = path.stat() if follow_links else path.lstat()
            if stat.S_ISLNK(status.st_mode):
                raise UnreadablePhotoError(f"{name} is a link; links of an archive are not followed: name their target")
            if not stat.S_ISREG(status.st_mode):
                raise UnreadablePhotoError(f"{name} is not a regular file; expected a photo")
            require_size(name, status.st_size)
            return _read_twice(path, name)
    except (OSError, ValueError) as error:  # Python raises ValueError for a name with a null byte.
        raise UnreadablePhotoError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _read_twice(path: Path, name: str) -> bytes:
    for _ in range(2):
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            # One byte more than there is to be: a file that grows all the time would otherwise have no end.
            data = file.read(before.st_size + 1)
            after = os.fstat(file.fileno())
        if (len(data), before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            return data
    raise UnreadablePhotoError(f"{name} changes while it is read; encode again when it is written to the end")


@contextmanager
def _answering(path: Path) -> Iterator[None]:
    """Raises TemporaryError where the disk does not answer, which says nothing of the photo."""
    try:
        yield
    except OSError as error:
        if error.errno not in AWAY:
            raise
        remedy = "allow more (`ulimit -n`)" if error.errno in CROWDED else "see that its disk answers"
        raise TemporaryError(
            f"cannot read {printable_path(path)}: {error.strerror}; {remedy}, and run again"
        ) from error
