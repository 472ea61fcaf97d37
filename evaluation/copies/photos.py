"""Lists the photos that an evaluation is made of, each content once, and leaves out what cannot be decoded."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from foundation.archives.archive import open_archive, read_photos
from foundation.archives.folders import PHOTO_SUFFIXES
from foundation.errors import InputNotFoundError
from foundation.photos import photo
from foundation.photos.photo import PhotoError

# Decoded this small a JPEG is read at an eighth of its size: the check costs a millisecond or two.
CHECKED_SIZE = 16
KEY_LETTERS = 16


@dataclass(frozen=True)
class SourcePhoto:
    """A photo of the evaluation: `key` is the beginning of its content's digest, `folder` where it lies."""

    key: str
    uri: str
    suffix: str
    folder: str


def list_photos(location: str | Path, *, tell: Callable[[str], None]) -> list[SourcePhoto]:
    """Returns the usable photos of an archive, see `open_archive`, sorted by key; one for each content.

    Reads and decodes every photo once. Raises InputNotFoundError if there is none.
    """
    entries = list(open_archive(str(location)).list())
    found: dict[str, SourcePhoto] = {}
    rejected = 0
    for entry, encoded in zip(entries, read_photos(entry.uri for entry in entries), strict=True):
        try:
            data = encoded.read()
            photo.decode(data, size=CHECKED_SIZE, with_metadata=False)
        except PhotoError:
            rejected += 1
            continue
        name = PurePosixPath(entry.photo_id)
        suffix = name.suffix.lower() if name.suffix.lower() in PHOTO_SUFFIXES else ".jpg"
        key = key_of(data)
        found.setdefault(key, SourcePhoto(key, entry.uri, suffix, str(name.parent)))
    if not found:
        raise InputNotFoundError(f"no usable photo in {location}; expected a folder, tar or Parquet files with some")
    tell(f"{location}: {len(found):,} photos, {len(entries) - len(found) - rejected:,} repeated, {rejected:,} rejected")
    return [found[key] for key in sorted(found)]


def key_of(data: bytes) -> str:
    """Returns what a photo is called throughout an evaluation: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(data).hexdigest()[:KEY_LETTERS]
