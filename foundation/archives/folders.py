"""Lists and reads folder trees: every file is an entry, and nothing that could hang is opened."""

import os
import stat
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from foundation.archives.photos import EncodedPhoto, Entry, UnreadablePhotoError, require_size
from foundation.archives.uris import path_of, printable_path, uri_of
from foundation.errors import InputNotFoundError

PHOTO_SUFFIXES = (".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def check_folder(folder: Path) -> None:
    """Raises InputNotFoundError unless the entries of a folder can be listed."""
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise InputNotFoundError(f"archive {folder} cannot be listed ({error.strerror}); check its rights") from error


def list_folder(folder: Path) -> Iterator[Entry]:
    """Yields every file below a folder in a stable order, hidden and unreadable ones too: nothing is dropped.

    Links are not followed, neither to folders, which can form loops, nor to files, which can lead out of the archive:
    each is an entry, as is a folder that cannot be listed, and becomes a reject. The photo_id is the path relative to
    the folder, as text.
    """
    # Whatever the suffix: a photo without one would be missed for good, and what is none costs one reject.
    return (entry_of(path, folder) for path in walk(folder))


def walk(folder: Path) -> Iterator[Path]:
    """Yields the path of every entry of `list_folder`."""
    unlistable: list[OSError] = []
    for directory, folders, files in os.walk(folder, onerror=unlistable.append):
        # Sorting in place decides where `os.walk` goes next: two listings of one archive are the same.
        folders.sort()
        linked = [name for name in folders if Path(directory, name).is_symlink()]
        yield from (Path(directory, name) for name in sorted([*files, *linked]))
        # `os.walk` reports a folder that it cannot list before it goes on with the next one.
        while unlistable:
            yield Path(unlistable.pop().filename)
    while unlistable:
        yield Path(unlistable.pop().filename)


def entry_of(path: Path, folder: Path) -> Entry:
    """Returns the entry of one file of a folder; `size_bytes` is -1 for what is no regular file, or cannot be seen."""
    # In whole seconds, since file systems and copies keep different fractions: a copied archive is not a changed one.
    photo_id = printable_path(path.relative_to(folder))
    try:
        status = path.lstat()
        modified_at = datetime.fromtimestamp(int(status.st_mtime), timezone.utc)
    except (OSError, OverflowError, ValueError):
        return Entry(photo_id, uri_of(path), -1, None)
    return Entry(photo_id, uri_of(path), status.st_size if stat.S_ISREG(status.st_mode) else -1, modified_at)


def read_files(uris: Iterator[str]) -> Iterator[EncodedPhoto]:
    """Yields the files of an archive; links are not followed."""
    return (EncodedPhoto(partial(read_file, path_of(uri), follow_links=False)) for uri in uris)


def read_file(path: Path, *, follow_links: bool = True) -> bytes:
    """Returns the bytes of one file; never opens pipes or devices, which could hang.

    Raises UnreadablePhotoError, or PhotoTooLargeError before anything is read.
    """
    name = printable_path(path)
    # Looked at before it is opened: `open` on a pipe waits until somebody writes to it, perhaps for ever.
    try:
        status = path.stat() if follow_links else path.lstat()
        if stat.S_ISLNK(status.st_mode):
            raise UnreadablePhotoError(f"{name} is a link; links of an archive are not followed: name their target")
        if not stat.S_ISREG(status.st_mode):
            raise UnreadablePhotoError(f"{name} is not a regular file; expected a photo")
        require_size(name, status.st_size)
        return path.read_bytes()
    except (OSError, ValueError) as error:  # Python raises ValueError for a name with a null byte.
        raise UnreadablePhotoError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from error
