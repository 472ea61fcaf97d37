"""Lists and reads the objects below a prefix of a bucket: names in parallel, bytes by ranged requests.

A bucket gives names in their order, a thousand at a time, and can begin behind any name. So an archive is listed in
ranges of names: where one holds more than some thousands, what is left of it is cut, and the pieces are listed at once.
This works for folders by date as well as for millions of names in one folder, and holds only some ranges in memory.
"""

import functools
import itertools
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import obstore
from obstore import exceptions
from obstore.store import ObjectStore

from foundation.archives.ahead import in_order
from foundation.archives.photos import Entry, File, UnreadablePhotoError, require_size
from foundation.archives.uris import bucket_and_key, bucket_uri
from foundation.errors import InputNotFoundError
from foundation.objects import buffered, open_bucket, retried, translated

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta

# Names of one answer of S3 and Google Cloud Storage, and how many make a range: it takes about half a second.
PAGE, NAMES_PER_RANGE = 1_000, 3_000
# Ranges of up to 4,000 names that wait to be taken hold some 100 MB.
LISTING_THREADS, RANGES_AHEAD = 16, 48
# A request takes about as long as a megabyte needs to arrive: headers of a tar of small photos come many at a time.
BUFFER_BYTES = 2**20
# Numbers and hashes, of which most names that machines give are made, have few characters in each place.
ALPHABETS = ("0123456789", "0123456789abcdef", "0123456789ABCDEF")
# What makes a name a pattern.
PATTERN = re.compile(r"[*?[]")


class _Range(NamedTuple):
    """The names behind `after`, without it, up to `until`, with it: ranges that join each other share no name."""

    after: str
    until: str


def _opened(bucket: str) -> ObjectStore:
    return _opened_by(bucket, os.getpid())


# A bucket keeps its connections: each of a million reads would otherwise begin with a handshake.
@functools.lru_cache(64)
def _opened_by(bucket: str, _process: int) -> ObjectStore:
    return open_bucket(bucket)


def is_folder(uri: str) -> bool:
    """Returns whether any object lies below a prefix."""
    bucket, key = bucket_and_key(uri)
    prefix = key.strip("/")
    with translated(f"list {uri}"):
        return bool(retried(lambda: next(iter(obstore.list(_opened(bucket), prefix or None)), [])))


def matching(uri: str) -> list[Entry]:
    """Returns the object of this name, or the objects that match a pattern; nothing if there is none.

    Their photo_ids begin below the last folder before the pattern.
    """
    bucket, key = bucket_and_key(uri)
    names = key.split("/")
    depth = next((place for place, name in enumerate(names) if PATTERN.search(name)), len(names) - 1)
    top = "/".join(names[:depth])
    with translated(f"read {uri}"):
        if key and (item := _head(bucket, key)):
            return [_entry(bucket, key[: key.rfind("/") + 1], item)]
    if not PATTERN.search(key) or not is_folder(bucket_uri(bucket, top)):
        return []
    found = list_below(bucket_uri(bucket, top))
    return [entry for entry in found if _matches(entry.photo_id.split("/"), names[depth:])]


def _matches(names: list[str], patterns: list[str]) -> bool:
    # As in a shell, an asterisk stands for no slash: each part of a name is held against its own.
    return len(names) == len(patterns) and all(map(fnmatchcase, names, patterns))


def list_below(uri: str) -> Iterator[Entry]:
    """Yields every object below a prefix in the order of their keys; photo_ids are relative to it.

    Raises InputNotFoundError if there is none, TemporaryError if an answer does not come: nothing is left out.
    """
    bucket, key = bucket_and_key(uri)
    prefix = f"{key.rstrip('/')}/" if key.strip("/") else ""
    # What is below `photos/` comes before `photos0`: the character behind the slash is the zero.
    whole = _Range(prefix, f"{prefix[:-1]}0" if prefix else chr(0x10FFFF))
    is_empty = True
    for objects in in_order([whole], partial(_list_range, bucket, prefix), threads=LISTING_THREADS, ahead=RANGES_AHEAD):
        for item in objects:
            is_empty = False
            yield _entry(bucket, prefix, item)
    if is_empty:
        raise InputNotFoundError(f"archive {uri} holds no object; expected the prefix of some")


def _list_range(bucket: str, prefix: str, names: _Range) -> tuple[list["ObjectMeta"], list[_Range]]:
    """Returns the first objects of a range, and the ranges that hold the others."""
    with translated(f"list {bucket}/{prefix}"):
        found, is_whole = retried(lambda: _first_of(bucket, prefix, names))
        rest = [] if is_whole else cut([item["path"] for item in found], names.until)
        return _without_markers(bucket, found), rest


def _first_of(bucket: str, prefix: str, names: _Range) -> tuple[list["ObjectMeta"], bool]:
    """Returns the first objects of a range, and whether these are all."""
    found: list[ObjectMeta] = []
    last = names.after
    pages = obstore.list(_opened(bucket), prefix or None, offset=names.after or None, chunk_size=PAGE)
    for page in pages:
        for item in page:
            if item["path"] > names.until:
                return found, True
            if item["path"] > last:
                found.append(item)
                last = item["path"]
            # A marker `a/` is listed as `a`, behind `a.jpg`; after any other step back, ranges would leave names out.
            elif last > f"{item['path']}/":
                raise ValueError(f"it does not list its names in their order: {item['path']!r} behind {last!r}")
        if len(found) >= NAMES_PER_RANGE:
            return found, False
    return found, True


def cut(found: list[str], until: str) -> list[_Range]:
    """Cuts the names behind those that were found into ranges that may each hold about as many, or more.

    Behind `2019/06/30/4711.jpg` they begin at `2019/06/30/5`, `6` … `9`, at `2019/06/4` …, `2019/07` …, and `202` ….
    A cut costs no request of its own; a range that turns out empty costs one.
    """
    last = found[-1]
    differ = min(_shared(found[0], last), len(last) - 1)
    edges = [last]
    for place in range(differ, _shared(last, until) - 1, -1):
        seen = {name[place : place + 1] for name in found if len(name) > place} if place == differ else {last[place]}
        edges += [edge for following in _following(last[place], seen) if edges[-1] < (edge := last[:place] + following)]
    edges = [edge for edge in edges if edge < until]
    # Nothing is left when the last name is just that up to which the range goes: no edge is then below it.
    return [_Range(*pair) for pair in itertools.pairwise([*edges, until])] if edges else []


def _following(character: str, seen: set[str]) -> list[str]:
    """Returns characters that names may go on with behind this one, where those in `seen` stood in some."""
    for alphabet in ALPHABETS:
        if seen <= set(alphabet):
            return [other for other in alphabet if other > character] or [chr(ord(character) + 1)]
    following = chr(min(ord(character) + 1, 0x10FFFF))
    # A dot or a slash at the end is no name to obstore, nor are DEL and half of a surrogate pair.
    return [{".": "0", "/": "0", "\x7f": "\x80", "\ud800": "\ue000"}.get(following, following)]


def _shared(first: str, second: str) -> int:
    """Returns how many characters two names begin with alike."""
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def _without_markers(bucket: str, found: list["ObjectMeta"]) -> list["ObjectMeta"]:
    """Leaves out what consoles create for an empty folder, `NAME/`: listed as `NAME`, an object that there is not."""
    return [item for item in found if item["size"] or _head(bucket, item["path"])]


def _head(bucket: str, key: str) -> "ObjectMeta | None":
    try:
        return retried(lambda: obstore.head(_opened(bucket), key))
    except FileNotFoundError:
        return None


def _entry(bucket: str, prefix: str, item: "ObjectMeta") -> Entry:
    modified_at = item["last_modified"].replace(microsecond=0)
    uri = bucket_uri(bucket, item["path"])
    return Entry(item["path"].removeprefix(prefix), uri, item["size"], modified_at, item["e_tag"])


def look_up(uri: str) -> File:
    """Returns the state of one object; raises InputNotFoundError or TemporaryError."""
    bucket, key = bucket_and_key(uri)
    with translated(f"read {uri}"):
        item = retried(lambda: obstore.head(_opened(bucket), key))
    return File(uri, item["size"], item["last_modified"].replace(microsecond=0), item["e_tag"], item["e_tag"])


def open_file(file: File) -> BinaryIO:
    """Opens an object for random reads: each asks for some bytes more than are read, so that small steps are free."""
    return buffered(partial(_range_of, file), file.size_bytes, buffer_bytes=BUFFER_BYTES)


def read_range(file: File, offset: int, length: int) -> bytes:
    """Returns bytes of an object; raises UnreadablePhotoError, also if it has changed since it was looked up.

    Raises TemporaryError if no answer comes: the photo may well be there.
    """
    with _of_a_photo():
        return _range_of(file, offset, length)


def _range_of(file: File, offset: int, length: int) -> bytes:
    if not length:  # An empty range is an error to a bucket.
        return b""
    bucket, key = bucket_and_key(file.uri)
    options: GetOptions = {"range": (offset, offset + length)}
    if file.version:
        options["if_match"] = file.version
    with translated(f"read {file.uri}"):
        try:
            return retried(lambda: bytes(obstore.get(_opened(bucket), key, options=options).bytes()))
        except exceptions.PreconditionError as error:
            raise InputNotFoundError(f"{file.uri} changed while it was read; run again when it is finished") from error


def read_file(uri: str) -> bytes:
    """Returns the bytes of one object; raises UnreadablePhotoError, or PhotoTooLargeError before its bytes are read.

    Raises TemporaryError if no answer comes: the photo may well be there.
    """
    bucket, key = bucket_and_key(uri)

    def read() -> bytes:
        answer = obstore.get(_opened(bucket), key)
        require_size(uri, answer.meta["size"])
        return bytes(answer.bytes())

    with _of_a_photo(), translated(f"read {uri}"):
        return retried(read)


@contextmanager
def _of_a_photo() -> Iterator[None]:
    """Turns what is wrong with one object for good into an error of that photo; an outage stays one."""
    try:
        yield
    except InputNotFoundError as error:
        raise UnreadablePhotoError(str(error)) from error
