"""Lists and reads files wherever they lie, on local disk or in a bucket, by their URI: all archives stand on this."""

from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, Protocol

from foundation.archives import buckets, folders
from foundation.archives.photos import EncodedPhoto, Entry, File
from foundation.archives.uris import is_in_bucket, path_of


class _Place(Protocol):
    """What the module of each kind of place gives."""

    def is_folder(self, uri: str) -> bool: ...

    def matching(self, uri: str) -> list[Entry]: ...

    def list_below(self, uri: str) -> Iterator[Entry]: ...

    def look_up(self, uri: str) -> File: ...

    def open_file(self, file: File) -> BinaryIO: ...

    def read_range(self, file: File, offset: int, length: int) -> bytes: ...


def is_folder(uri: str) -> bool:
    """Returns whether there is a folder of this name, or any object below this prefix."""
    return _place_of(uri).is_folder(uri)


def matching(uri: str) -> list[Entry]:
    """Returns the one file of this name, or the files that match a pattern, sorted; nothing if there is none."""
    return _place_of(uri).matching(uri)


def list_below(uri: str) -> Iterator[Entry]:
    """Yields every file below a folder or prefix, in a stable order, photo_ids relative to it; see `Entry`.

    Raises InputNotFoundError if there is none, TemporaryError if the listing cannot be finished: it is never shorter.
    """
    return _place_of(uri).list_below(uri)


def look_up(uri: str) -> File:
    """Returns the present state of one file; raises InputNotFoundError unless it is a file that can be read."""
    return _place_of(uri).look_up(uri)


def open_file(file: File) -> BinaryIO:
    """Opens a file for random reads; in a bucket these are ranged requests of some size."""
    return _place_of(file.uri).open_file(file)


def read_range(file: File, offset: int, length: int) -> bytes:
    """Returns bytes of a file; raises UnreadablePhotoError, also if it has changed since it was looked up.

    Raises TemporaryError if storage does not answer.
    """
    return _place_of(file.uri).read_range(file, offset, length)


def read_files(uris: Iterator[str]) -> Iterator[EncodedPhoto]:
    """Yields the photos with these URIs, files of an archive: links are not followed."""
    return (EncodedPhoto(partial(read_file, uri, follow_links=False)) for uri in uris)


def read_file(uri: str, *, follow_links: bool = True) -> bytes:
    """Returns the bytes of one photo, by the URI of a file or its path.

    Raises UnreadablePhotoError or PhotoTooLargeError, and TemporaryError if storage does not answer.
    """
    return buckets.read_file(uri) if is_in_bucket(uri) else folders.read_file(path_of(uri), follow_links=follow_links)


def _place_of(uri: str) -> _Place:
    return buckets if is_in_bucket(uri) else folders
