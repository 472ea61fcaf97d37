"""Lists and reads tar shards as WebDataset lays them out: `KEY.jpg` and, beside it, `KEY.json` or `KEY.cls`.

The headers are read once; photos are then read where they lie, and nothing is ever extracted. The `webdataset` library
is not used: it runs shell commands that a name may hold, and unpickles.
"""

import functools
import json
import os
import stat
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from foundation.archives.photos import EncodedPhoto, Entry, UnreadablePhotoError, require_size
from foundation.archives.uris import path_of, printable_path, split, uri_of
from foundation.errors import InputNotFoundError

SUFFIX = ".tar"
# What WebDataset keeps beside a photo under the same key; everything else in a shard is an entry.
SIDECARS = (".cls", ".json", ".txt")
MAX_LABEL_BYTES = 2**20
MAX_LABEL_LENGTH = 100
# A member takes about 200 bytes of an index: some shards of 10,000 photos each stay within a few megabytes.
CACHED_SHARDS = 16


class _Member(NamedTuple):
    """Where the bytes of a member lie in its shard; `offset` is -1 for what is no regular file."""

    offset: int
    size_bytes: int
    modified_at: datetime | None


def list_shard(shard: Path, folder: Path) -> Iterator[Entry]:
    """Yields the photos of a shard in their order, by its headers alone; photo_ids are `SHARD#MEMBER`.

    Raises InputNotFoundError if it is no tar, or one that was cut off.
    """
    name = printable_path(shard.relative_to(folder))
    for part, member in _index(shard).items():
        if not _is_sidecar(part):
            size_bytes = member.size_bytes if member.offset >= 0 else -1
            yield Entry(f"{name}#{printable_path(part)}", uri_of(shard, part=part), size_bytes, member.modified_at)


def read_members(uris: Iterator[str]) -> Iterator[EncodedPhoto]:
    """Yields the photos with these URIs: their bytes are read, by offset, in the thread that asks for them."""
    for uri in uris:
        shard, part = path_of(uri), split(uri)[1]
        yield EncodedPhoto(partial(_read, shard, part), partial(_label, shard, part))


def _index(shard: Path) -> dict[str, _Member]:
    """Returns the members of a shard by name; a photo's name that comes again has `@2`, `@3` … behind it.

    Raises InputNotFoundError.
    """
    try:
        status = shard.stat()
    except OSError as error:
        raise InputNotFoundError(f"cannot read {shard}: {error.strerror}; expected a tar shard") from error
    if not stat.S_ISREG(status.st_mode):  # to open a pipe waits for its writer
        raise InputNotFoundError(f"cannot read {shard}: it is not a regular file; expected a tar shard")
    return _cached_index(shard, status.st_size, status.st_mtime_ns)


# A tar has no index: to find one member is to read every header before it, of up to 10,000; to read a shard photo by
# photo would be quadratic. Size and time are part of the key: a shard that was written anew is read anew.
@functools.lru_cache(CACHED_SHARDS)
def _cached_index(shard: Path, _size_bytes: int, _modified_ns: int) -> dict[str, _Member]:
    members: dict[str, _Member] = {}
    copies: Counter[str] = Counter()
    with _opened(shard) as tar:
        for member in tar:
            if not member.isdir():
                members[_free_name(member.name, members, copies)] = _place(member)
    return members


def _free_name(name: str, members: Mapping[str, _Member], copies: Counter[str]) -> str:
    # A sidecar that comes again replaces the one before it, as it does when a tar is extracted.
    if _is_sidecar(name):
        return name
    free = name
    # A member may itself be called `1.jpg@2`, and must not take the place of the second `1.jpg`.
    while free in members:
        copies[name] += 1
        free = f"{name}@{copies[name] + 1}"
    return free


def _is_sidecar(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in SIDECARS


def _place(member: tarfile.TarInfo) -> _Member:
    # A sparse member lies in pieces, which no photo does; links and devices have no bytes of their own.
    offset = member.offset_data if member.isreg() and not member.issparse() else -1
    try:
        modified_at = datetime.fromtimestamp(int(member.mtime), timezone.utc)
    except (OverflowError, ValueError, OSError):
        modified_at = None
    return _Member(offset, member.size, modified_at)


@contextmanager
def _opened(shard: Path) -> Iterator[tarfile.TarFile]:
    try:
        # `r:` is a plain tar: in a compressed one, no photo could be read without all that lies before it.
        with tarfile.open(shard, "r:") as tar:
            yield tar
            _require_end(shard, tar.offset)
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise InputNotFoundError(f"cannot read {shard}: {error}; expected an uncompressed tar shard") from error
    except OSError as error:
        # A header may also name a size that no file has, which the system refuses to seek to.
        raise InputNotFoundError(
            f"cannot read {shard}: {error.strerror}; expected an uncompressed tar shard"
        ) from error


def _require_end(shard: Path, offset: int) -> None:
    """Raises ValueError unless the last member is followed by the block of zeros that ends a tar.

    The library takes a header that it cannot read for the end, and would leave the rest of the photos out silently.
    """
    with shard.open("rb") as file:
        file.seek(offset)
        block = file.read(tarfile.BLOCKSIZE)
    if len(block) < tarfile.BLOCKSIZE or any(block):
        raise ValueError(f"cut off or damaged at byte {offset:,}")


def _read(shard: Path, part: str) -> bytes:
    # The name is looked up again, in the cached headers: workers get URIs, which hold no offset that could be outdated.
    name = f"{printable_path(shard)}#{printable_path(part)}"
    try:
        member = _index(shard).get(part)
    except InputNotFoundError as error:
        raise UnreadablePhotoError(str(error)) from error
    if member is None or member.offset < 0:
        problem = "is not in the shard" if member is None else "is a link, a device or sparse"
        raise UnreadablePhotoError(f"{name} {problem}; expected a regular file")
    require_size(name, member.size_bytes)
    return _read_at(shard, member)


def _read_at(shard: Path, member: _Member) -> bytes:
    try:
        with shard.open("rb") as file:
            # A file of its own for each read, and no shared position in it: many threads read one shard at once.
            return os.pread(file.fileno(), member.size_bytes, member.offset)
    except OSError as error:
        raise UnreadablePhotoError(f"{printable_path(shard)} cannot be read: {error.strerror}") from error


def _label(shard: Path, part: str) -> str | None:
    """Returns the class that `KEY.cls` or `KEY.json` names; what names none is no fault of the photo."""
    path = PurePosixPath(part)
    key, members = path.parent / path.name.partition(".")[0], _index(shard)
    # A label is small; one of a gigabyte is damage, or meant to fill the memory.
    for suffix in (".cls", ".json"):
        member = members.get(f"{key}{suffix}")
        if member and member.offset >= 0 and member.size_bytes <= MAX_LABEL_BYTES:
            data = _read_at(shard, member)
            return data.decode("utf-8", "replace").strip()[:MAX_LABEL_LENGTH] if suffix == ".cls" else _json_label(data)
    return None


def _json_label(data: bytes) -> str | None:
    try:
        return str(json.loads(data)["label"])[:MAX_LABEL_LENGTH]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
