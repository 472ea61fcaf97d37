"""Lists and reads tar shards as WebDataset lays them out: `KEY.jpg` and, beside it, `KEY.json` or `KEY.cls`.

The headers are read once; photos are then read where they lie, and nothing is ever extracted. The `webdataset` library
is not used: it runs shell commands that a name may hold, and unpickles.
"""

import functools
import json
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from functools import cached_property, partial
from pathlib import PurePosixPath
from typing import NamedTuple

from foundation.archives import places
from foundation.archives.photos import EncodedPhoto, Entry, File, UnreadablePhotoError, require_size, unreadable
from foundation.archives.sidecars import ORPHANED, stem_of, with_sidecar
from foundation.archives.tar_headers import members_of
from foundation.archives.uris import printable_path, shown, split, with_part
from foundation.errors import InputNotFoundError
from foundation.photos.metadata import MAX_XMP_BYTES

SUFFIX = ".tar"
# What WebDataset keeps beside a photo under the same key; everything else in a shard is an entry.
SIDECARS = (".cls", ".json", ".txt", ".xmp")
# Those that may say what the photo shows, the first before the second.
DESCRIBING = (".json", ".txt")
MAX_LABEL_BYTES = 2**20
MAX_LABEL_LENGTH = 100
# A member takes some 350 bytes of an index: shards of 10,000 photos take 3.5 MB each, and the largest allowed 350 MB.
CACHED_SHARDS = 16


class _Member(NamedTuple):
    """Where the bytes of a member lie in its shard; `offset` is -1 for what is not read, and `problem` says why."""

    offset: int
    size_bytes: int
    modified_at: datetime | None
    problem: str = ""


def list_shard(shard: Entry, left_out: Counter[str]) -> Iterator[Entry]:
    """Yields the photos of a shard in their order, by its headers alone; photo_ids are `SHARD#MEMBER`.

    Raises InputNotFoundError if it is no tar, or one that was cut off.
    """
    file = places.look_up(shard.uri)
    members = _index(file)
    keys = {_key(part) for part in members if not _is_sidecar(part)}
    if orphans := sum(_is_sidecar(part) and _key(part) not in keys for part in members):
        left_out[ORPHANED] += orphans
    entry_of = partial(_entry, shard.photo_id, file, members)
    return (_described(part, members, entry_of) for part in members if not _is_sidecar(part))


def _described(part: str, members: Mapping[str, _Member], entry_of: Callable[[str], Entry]) -> Entry:
    """Returns the entry of a photo, with the member that describes it if there is one."""
    names = (f"{part}.xmp", f"{stem_of(part)}.xmp", *(f"{_key(part)}{suffix}" for suffix in DESCRIBING))
    for name in names:
        member = members.get(name)
        if member and member.offset >= 0 and member.size_bytes <= MAX_XMP_BYTES:
            return with_sidecar(entry_of(part), entry_of(name))
    return entry_of(part)


def _key(part: str) -> str:
    """Returns what WebDataset calls the key of a member: its path up to the first dot of its name."""
    path = PurePosixPath(part)
    return str(path.parent / path.name.partition(".")[0])


def _entry(name: str, file: File, members: Mapping[str, _Member], part: str) -> Entry:
    member = members[part]
    size_bytes = member.size_bytes if member.offset >= 0 else -1
    photo_id = f"{name}#{printable_path(part)}"
    return Entry(photo_id, with_part(file.uri, part), size_bytes, member.modified_at, file.etag)


def read_members(uris: Iterator[str]) -> Iterator[EncodedPhoto]:
    """Yields the photos with these URIs, all of one shard: read, by offset, in the thread or process that asks."""
    shard: _Shard | None = None
    for uri in uris:
        container, part = split(uri)
        shard = shard or _Shard(container)
        yield EncodedPhoto(shard.reader_of(part), partial(shard.label, part))


class _Shard:
    """A shard that some photos are read of: it is looked up with the first of them, and has to stay what it is then.

    The name of a member is looked up in the cached headers: workers get URIs, which hold no offset that could be
    outdated.
    """

    def __init__(self, uri: str):
        self._uri = uri

    @cached_property
    def _file(self) -> File:
        return places.look_up(self._uri)

    def reader_of(self, part: str) -> Callable[[], bytes]:
        """Returns what reads a photo, in any process: it holds the photo's place in the shard."""
        # A process that got the name alone would look up the shard and read all of its headers anew.
        name = f"{shown(self._uri)}#{printable_path(part)}"
        try:
            return partial(_read, name, self._file, _index(self._file).get(part))
        except InputNotFoundError as error:
            return unreadable(UnreadablePhotoError(str(error))).read

    def label(self, part: str) -> str | None:
        """Returns the class that `KEY.cls` or `KEY.json` names; what names none is no fault of the photo."""
        key, members = _key(part), _index(self._file)
        # A label is small; one of a gigabyte is damage, or meant to fill the memory.
        for suffix in (".cls", ".json"):
            member = members.get(f"{key}{suffix}")
            if member and member.offset >= 0 and member.size_bytes <= MAX_LABEL_BYTES:
                data = places.read_range(self._file, member.offset, member.size_bytes)
                text = data.decode("utf-8", "replace").strip()
                return text[:MAX_LABEL_LENGTH] if suffix == ".cls" else _json_label(data)
        return None


def _read(name: str, file: File, member: _Member | None) -> bytes:
    if member is None or member.offset < 0:
        problem = member.problem if member else "is not in the shard"
        raise UnreadablePhotoError(f"{name} {problem}; expected a regular file")
    require_size(name, member.size_bytes)
    return places.read_range(file, member.offset, member.size_bytes)


# A tar has no index: to find one member is to read every header before it, of up to 10,000; to read a shard photo by
# photo would be quadratic. The version is part of the key: a shard that was written anew is read anew.
@functools.lru_cache(CACHED_SHARDS)
def _index(file: File) -> dict[str, _Member]:
    """Returns the members of a shard by name; a photo's name that comes again has `@2`, `@3` … behind it.

    Raises InputNotFoundError.
    """
    members: dict[str, _Member] = {}
    copies: Counter[str] = Counter()
    try:
        with places.open_file(file) as opened:
            for member in members_of(opened):
                if not member.isdir():
                    members[_free_name(member.name, members, copies)] = _place(member)
    # A chain of headers that each announce another one goes deeper than Python does.
    except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError) as error:
        problem = f"{shown(file.uri)}: {error}"
        raise InputNotFoundError(f"cannot read {problem}; expected an uncompressed tar shard") from error
    except OSError as error:
        # A header may also name a size that no file has, which the system refuses to seek to.
        problem = f"{shown(file.uri)}: {error.strerror}"
        raise InputNotFoundError(f"cannot read {problem}; expected an uncompressed tar shard") from error
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
    try:
        modified_at = datetime.fromtimestamp(int(member.mtime), timezone.utc)
    except (OverflowError, ValueError, OSError):
        modified_at = None
    problem = ""
    # A sparse member lies in pieces, which no photo does; links and devices have no bytes of their own.
    if not member.isreg() or member.issparse():
        problem = "is a link, a device or sparse"
    elif member.name.startswith("/") or ".." in PurePosixPath(member.name).parts:
        problem = "names a place outside the shard"
    return _Member(-1 if problem else member.offset_data, member.size, modified_at, problem)


def _json_label(data: bytes) -> str | None:
    try:
        return str(json.loads(data)["label"])[:MAX_LABEL_LENGTH]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
