"""Lists and reads archives: folder trees of files, named by `file://` URIs so that any file name survives."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from foundation.errors import FirstseenError, InputNotFoundError
from foundation.photos.photo import PhotoLimits, PhotoTooLargeError


class UnreadableFileError(FirstseenError):
    """A file of the archive that cannot be read, or that is not a regular file."""

    exit_code = 4
    reason = "unreadable"


@dataclass(frozen=True)
class FileEntry:
    """One file of an archive; `size_bytes` is -1 where the file could not even be looked at."""

    photo_id: str
    uri: str
    size_bytes: int
    modified_at: datetime | None


def uri_of(path: Path) -> str:
    """Returns the absolute `file://` URI of a path, percent-encoded: names that are not UTF-8 survive."""
    return "file://" + quote_from_bytes(os.fsencode(path.absolute()))


def path_of(uri: str) -> Path:
    """Returns the local path of a `file://` URI, or of a plain path."""
    if uri.startswith("file://"):
        return Path(os.fsdecode(unquote_to_bytes(uri.removeprefix("file://"))))
    return Path(uri)


def check_folder(folder: Path) -> None:
    """Raises InputNotFoundError unless `folder` is a folder whose entries can be listed."""
    if not folder.is_dir():
        kind = "a file" if folder.exists() else "nothing"
        raise InputNotFoundError(f"archive {folder} is {kind}; expected a folder of photos")
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise InputNotFoundError(f"archive {folder} cannot be listed ({error.strerror}); check its rights") from error


def list_folder(folder: Path) -> Iterator[FileEntry]:
    """Yields every file below a folder in a stable order, hidden and unreadable ones too: nothing is dropped.

    Links to directories are not followed (they can form loops). Each is an entry of its own, as is a directory that
    cannot be listed, and becomes a reject. The photo_id is the path relative to the folder.
    """
    unlistable: list[OSError] = []
    for directory, folders, files in os.walk(folder, onerror=unlistable.append):
        folders.sort()
        linked = [name for name in folders if Path(directory, name).is_symlink()]
        for name in sorted([*files, *linked]):
            yield _entry(Path(directory, name), folder)
        while unlistable:
            yield _entry(Path(unlistable.pop().filename), folder)
    while unlistable:
        yield _entry(Path(unlistable.pop().filename), folder)


def _text(path: Path) -> str:
    # A name that is not UTF-8 cannot be written to JSON, Parquet or a terminal as it is.
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _entry(path: Path, folder: Path) -> FileEntry:
    photo_id = _text(path.relative_to(folder))
    try:
        status = path.stat()
        modified_at = datetime.fromtimestamp(int(status.st_mtime), timezone.utc)
    except (OSError, OverflowError, ValueError):
        return FileEntry(photo_id, uri_of(path), -1, None)
    return FileEntry(photo_id, uri_of(path), status.st_size, modified_at)


def read(uri: str, *, max_bytes: int = PhotoLimits().max_bytes) -> bytes:
    """Returns the bytes of one file; never opens pipes or devices, which could hang.

    Raises UnreadableFileError, or PhotoTooLargeError before anything above `max_bytes` is read.
    """
    path = path_of(uri)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFileError(f"{_text(path)} is not a regular file; expected a photo")
        if status.st_size > max_bytes:
            raise PhotoTooLargeError(f"{_text(path)} has {status.st_size} bytes; expected at most {max_bytes}")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name with a null byte
        reason = getattr(error, "strerror", None) or error
        raise UnreadableFileError(f"{_text(path)} cannot be read: {reason}") from error
