"""Says what every kind of archive gives: entries when it is listed, and encoded photos when it is read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from foundation.photos.metadata import GivenMetadata
from foundation.photos.photo import PhotoError, PhotoLimits, PhotoTooLargeError

# Bytes of the largest file that is read: the decoder would refuse a larger one.
MAX_BYTES = PhotoLimits().max_bytes


class UnreadablePhotoError(PhotoError):
    """A photo of an archive that cannot be read, or that is not a regular file."""

    reason = "unreadable"


@dataclass(frozen=True)
class Entry:
    """One photo of an archive, as its listing names it; `size_bytes` is -1 where only a read could tell.

    `etag` is another one when the bytes have changed: the bucket's own for an object; of a photo inside a file of many,
    that file's (size and time on local disk); None for a local file, whose size and time tell. `is_folder` is a folder
    that could not be listed: what lies below it is unknown, and must not be taken for removed.

    `sidecar_uri` is the file beside the photo that describes it, see `foundation.archives.archive.read_sidecar`, and
    `sidecar_version` is another one when that has changed. `given` is what the archive itself says of the photo, where
    it is an inventory.
    """

    photo_id: str
    uri: str
    size_bytes: int
    modified_at: datetime | None
    etag: str | None = None
    is_folder: bool = False
    sidecar_uri: str | None = None
    sidecar_version: str | None = None
    given: GivenMetadata | None = None


@dataclass(frozen=True)
class File:
    """The state of a file that holds photos.

    `etag` is what the entries of its photos say; `version` names the state to read, and no other.
    """

    uri: str
    size_bytes: int
    modified_at: datetime | None
    etag: str | None
    version: str | None


@dataclass(frozen=True)
class EncodedPhoto:
    """How to get the encoded bytes of one photo, and its class (None where the archive tells none).

    For files and tar shards the read happens in the thread or process that calls, so that many are read at once. `read`
    raises UnreadablePhotoError or PhotoTooLargeError, which are of that photo alone, and TemporaryError where storage
    does not answer, of which nothing follows for the photo. It can be pickled, so that another process may call it: it
    holds where the bytes lie, or the bytes themselves where they were read in a pass over a file of many.
    """

    read: Callable[[], bytes]
    label: Callable[[], str | None] = lambda: None


def unreadable(error: PhotoError) -> EncodedPhoto:
    """Returns a photo whose `read` raises the error: it takes its place in the order, and becomes a reject there."""
    return EncodedPhoto(partial(_fail, error))


def _fail(error: PhotoError) -> bytes:
    raise error


def require_size(name: str, size_bytes: int) -> None:
    """Raises PhotoTooLargeError for a photo of more bytes than are read, before any of them is."""
    if size_bytes > MAX_BYTES:
        raise PhotoTooLargeError(f"{name} has {size_bytes} bytes; expected at most {MAX_BYTES}: save the photo smaller")
