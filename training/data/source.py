"""Lists the archive that a training learns from, so that its photos have numbers and a change of it is noticed."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from foundation.archives.archive import open_archive, read_photos
from foundation.archives.photos import EncodedPhoto, Entry
from foundation.errors import InputNotFoundError


@dataclass(frozen=True)
class PhotoSource:
    """The photos of one source, numbered from 0; about 300 bytes of memory for each."""

    name: str
    entries: Sequence[Entry]

    @cached_property
    def fingerprint(self) -> str:
        """A digest that changes when a photo comes, goes, or has another size or time."""
        digest = hashlib.sha256()
        for entry in self.entries:
            digest.update(f"{entry.uri}\0{entry.size_bytes}\0{entry.modified_at}\n".encode())
        return digest.hexdigest()

    def read(self, numbers: Sequence[int]) -> Iterator[EncodedPhoto]:
        """Yields the photos with these numbers, in ascending order."""
        return read_photos(self.entries[number].uri for number in numbers)


def open_source(source: str, *, data_dir: Path | None = None) -> PhotoSource:
    """Lists an archive, see `foundation.archives.archive.open_archive`; raises InputNotFoundError if it is empty."""
    entries = list(open_archive(source, data_dir=data_dir).list())
    if not entries:
        raise InputNotFoundError(
            f"no photos in the source {source!r}; expected a folder, tar or Parquet files with some"
        )
    return PhotoSource(source, entries)
