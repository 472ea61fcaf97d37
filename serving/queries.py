"""Lists what to look up (photos, folders, archives, inventories, lists on stdin) as one stream; reads the photos."""

import os
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pyarrow import ArrowException, parquet, types

from foundation.archives import folders, parquet_tables, places, tensorflow_datasets
from foundation.archives.archive import holds_many, open_archive, read
from foundation.archives.photos import Entry, PhotoError, UnreadablePhotoError
from foundation.archives.uris import SCHEME, is_in_bucket, path_of, printable_path, shown, split, uri_of
from foundation.errors import InputNotFoundError, UsageError

PLACES = ("file", "gs", "s3")
# Any scheme but those of places that are read, which are written small. A data URI is told from a file whose name
# begins with `data:` by what has to follow the type of its content.
ADDRESS = re.compile(r"(?!(?:file|s3|gs)://)[a-zA-Z][\w+.-]*://|(?i:data):[\w/+.-]*[;,]", re.ASCII)
# Characters of an address that an error shows: a data URI is as long as its photo.
SHOWN = 80


class Listed(NamedTuple):
    """A query as its listing names it; size, time and etag tell another state of the photo, where they are known."""

    name: str
    size_bytes: int | None = None
    modified_at: datetime | None = None
    etag: str | None = None


def list_queries(arguments: Iterable[str], *, stdin: Iterable[str]) -> Iterator[Listed]:
    """Returns every query: `-` reads a path or uri per line, a folder is walked, a .parquet may be an inventory.

    In a bucket, what ends with a slash is a folder: `s3://bucket/photos/`, `gs://bucket/photos/`. Tar shards, TFRecord
    files, Parquet files with images, and folders of nothing but these hold a query for each of their photos.
    A photo is named as it was given, or by its path below the folder that was given, even if it is missing: its
    answer says so. One inside a file of many is named by its URI, and so is a name that is not UTF-8, which no format
    could write. Raises UsageError at once if an argument is an address; one in a list is a query like any other, which
    `read_query` refuses. Raises InputNotFoundError at once for a folder that cannot be listed.
    """
    # Checked here and not in the generator below, which runs only once the first answer is asked for.
    arguments = list(arguments)
    for argument in arguments:
        if reason := _why_not_read(argument):
            raise UsageError(reason)
        if not is_in_bucket(argument) and os.path.isdir(path_of(argument)):
            folders.check_folder(path_of(argument))
    return _listed(arguments, stdin)


def read_query(name: str, folder: Path | None = None) -> bytes:
    """Returns the bytes of a query; raises UnreadablePhotoError for one that cannot be read, an address among them.

    A relative path begins in `folder`, by default in the folder that the program was started in.
    """
    if reason := _why_not_read(name):
        raise UnreadablePhotoError(reason)
    if folder is None or "://" in name or name.startswith(tensorflow_datasets.SCHEME) or Path(name).is_absolute():
        return read(name)
    try:
        return read(str(folder / name))
    except PhotoError as error:
        # The reason stands in an answer, which names the photo as the user did, wherever it was read.
        told = str(error).replace(printable_path(folder / name), printable_path(Path(name)), 1)
        raise type(error)(told) from error


def _why_not_read(name: str) -> str | None:
    if not name:
        return "a query has no name; expected a path or a URI"
    shown = name if len(name) <= SHOWN else f"{name[:SHOWN]}…"
    scheme, separator, rest = name.partition("://")
    if separator and scheme != scheme.lower() in PLACES:
        return f"{shown!r}: its scheme is in capitals; expected {scheme.lower()}://{rest[:SHOWN]}"
    if ADDRESS.match(name):
        return f"{shown!r}: addresses are not fetched: download the photo, and name the file"
    return None


def _listed(arguments: Iterable[str], stdin: Iterable[str]) -> Iterator[Listed]:
    for argument in arguments:
        path = path_of(argument)
        if argument == "-":
            yield from (Listed(_writable(line.rstrip("\r\n"))) for line in stdin if line.strip())
        elif is_in_bucket(argument):
            yield from _in_bucket(argument)
        # Path.is_dir raises on a name that is too long or that may not be looked at: the answer has to say so instead.
        elif os.path.isdir(path):
            yield from _below(path)
        elif split(argument)[1]:
            yield Listed(argument)
        elif path.suffix.lower() == parquet_tables.SUFFIX:
            yield from _table(uri_of(path))
        elif holds_many(path.name):
            yield from map(_of_entry, open_archive(uri_of(path)).list())
        else:
            yield Listed(_writable(argument))


# A bucket has no folders: only a slash at the end tells a prefix from a photo, and asks for no answer of the network.
def _in_bucket(argument: str) -> Iterable[Listed]:
    if split(argument)[1]:
        return [Listed(argument)]
    if argument.lower().endswith(parquet_tables.SUFFIX):
        return _table(argument)
    if argument.endswith("/") or holds_many(argument):
        return map(_of_entry, open_archive(argument).list())
    return [Listed(argument)]


# As in an archive: nobody looks up what a system or an editor's program keeps beside photos, and a folder that holds
# no photo but files of many is one of shards. Named by the path that was given, not by the absolute one: answers then
# show what people typed.
def _below(folder: Path) -> Iterator[Listed]:
    top = folder.absolute()
    for entry in open_archive(uri_of(folder)).list():
        # An inventory among the files names photos that lie elsewhere.
        path = None if split(entry.uri)[1] or not entry.uri.startswith(SCHEME) else path_of(entry.uri)
        is_below = path is not None and path.is_relative_to(top)
        name = _writable(str(folder / path.relative_to(top))) if path and is_below else entry.uri
        yield _of_entry(entry)._replace(name=name)


def _of_entry(entry: Entry) -> Listed:
    size_bytes = entry.size_bytes if entry.size_bytes >= 0 else None
    return Listed(entry.uri, size_bytes, entry.modified_at, entry.etag)


def _writable(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        return uri_of(Path(name))
    return name


def _table(uri: str) -> Iterator[Listed]:
    try:
        with places.open_file(places.look_up(uri)) as opened:
            table = parquet.ParquetFile(opened)
            if "uri" in table.schema_arrow.names or not parquet_tables.has_photos(table.schema_arrow):
                yield from map(Listed, _column(table, shown(uri)))
                return
    except (OSError, ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise InputNotFoundError(f"inventory {shown(uri)} cannot be read: {reason}; expected Parquet") from error
    yield from map(_of_entry, open_archive(uri).list())


def _column(file: parquet.ParquetFile, inventory: str) -> Iterator[str]:
    if "uri" not in file.schema_arrow.names:
        raise InputNotFoundError(
            f"inventory {inventory} has the columns {file.schema_arrow.names}; expected uri among them, or images"
        )
    kind = file.schema_arrow.field("uri").type
    # A category of pandas is a dictionary.
    kind = kind.value_type if types.is_dictionary(kind) else kind
    if not (types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)):
        raise InputNotFoundError(f"inventory {inventory} has a column uri of {kind}; expected text")
    # Read batch by batch: the inventory of an archive has millions of rows, and answers begin with the first.
    for batch in file.iter_batches(columns=["uri"]):
        yield from (uri or "" for uri in batch["uri"].to_pylist())  # a missing one is rejected like any other
