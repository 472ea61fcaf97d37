"""Lists what to look up (photos, folders, inventories, lists on stdin) as one stream of names, and reads the photos."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from pyarrow import ArrowException, parquet, types

from foundation.archives import folders, places
from foundation.archives.archive import read
from foundation.archives.filters import Filter
from foundation.archives.photos import Entry, UnreadablePhotoError
from foundation.archives.sidecars import pair_sidecars
from foundation.archives.uris import is_in_bucket, path_of, shown, uri_of
from foundation.errors import InputNotFoundError, UsageError

# A data URI is told from a file whose name begins with `data:` by what has to follow the type of its content.
ADDRESS = re.compile(r"(?:https?|ftp)://|data:[\w/+.-]*[;,]", re.IGNORECASE)
# Characters of an address that an error shows: a data URI is as long as its photo.
SHOWN = 80


def list_queries(arguments: Iterable[str], *, stdin: Iterable[str]) -> Iterator[str]:
    """Returns the path or uri of every query: `-` reads one per line, a folder is walked, a .parquet is an inventory.

    In a bucket, what ends with a slash is a folder: `s3://bucket/photos/`, `gs://bucket/photos/`.
    A photo is named as it was given, or by its path below the folder that was given, even if it is missing: its
    answer says so. A name that is not UTF-8 becomes a `file://` URI, since no format could write it. Raises UsageError
    at once if an argument is an address; one in a list is a query like any other, which `read_query` refuses. Raises
    InputNotFoundError at once for a folder that cannot be listed.
    """
    # Checked here and not in the generator below, which runs only once the first answer is asked for.
    arguments = list(arguments)
    for argument in arguments:
        if reason := _why_not_read(argument):
            raise UsageError(reason)
        if not is_in_bucket(argument) and os.path.isdir(path_of(argument)):
            folders.check_folder(path_of(argument))
    return _names(arguments, stdin)


def read_query(name: str) -> bytes:
    """Returns the bytes of a query; raises UnreadablePhotoError for one that cannot be read, an address among them."""
    if reason := _why_not_read(name):
        raise UnreadablePhotoError(reason)
    return read(name)


def _why_not_read(name: str) -> str | None:
    shown = name if len(name) <= SHOWN else f"{name[:SHOWN]}…"
    if ADDRESS.match(name):
        return f"{shown!r}: addresses are not fetched: download the photo, and name the file"
    return None


def _names(arguments: Iterable[str], stdin: Iterable[str]) -> Iterator[str]:
    for argument in arguments:
        path = path_of(argument)
        if argument == "-":
            yield from (_writable(line.rstrip("\r\n")) for line in stdin if line.strip())
        elif is_in_bucket(argument):
            yield from _in_bucket(argument)
        # Path.is_dir raises on a name that is too long or that may not be looked at: the answer has to say so instead.
        elif os.path.isdir(path):
            yield from (_writable(str(name)) for name in _below(path))
        elif path.suffix.lower() == ".parquet":
            yield from _uris(uri_of(path))
        else:
            yield _writable(argument)


# A bucket has no folders: only a slash at the end tells a prefix from a photo, and asks for no answer of the network.
def _in_bucket(argument: str) -> Iterable[str]:
    if argument.endswith("/"):
        return (entry.uri for entry in _photos(places.list_below(argument)))
    return _uris(argument) if argument.lower().endswith(".parquet") else [argument]


# As in an archive: nobody looks up what a system or an editor's program keeps beside photos.
def _photos(entries: Iterable[Entry]) -> Iterator[Entry]:
    left_out: Counter[str] = Counter()
    return pair_sidecars(Filter().drop(entries, left_out), left_out)


# Named by the path that was given, not by the absolute one: answers then show what people typed.
def _below(folder: Path) -> Iterator[Path]:
    for entry in _photos(folders.list_folder(folder)):
        yield folder / path_of(entry.uri).relative_to(folder.absolute())


def _writable(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        return uri_of(Path(name))
    return name


def _uris(uri: str) -> Iterator[str]:
    try:
        with places.open_file(places.look_up(uri)) as opened:
            yield from _column(parquet.ParquetFile(opened), shown(uri))
    except (OSError, ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise InputNotFoundError(f"inventory {shown(uri)} cannot be read: {reason}; expected Parquet") from error


def _column(file: parquet.ParquetFile, inventory: str) -> Iterator[str]:
    if "uri" not in file.schema_arrow.names:
        raise InputNotFoundError(
            f"inventory {inventory} has the columns {file.schema_arrow.names}; expected uri among them"
        )
    kind = file.schema_arrow.field("uri").type
    if not (types.is_string(kind) or types.is_large_string(kind)):
        raise InputNotFoundError(f"inventory {inventory} has a column uri of {kind}; expected text")
    # Read batch by batch: the inventory of an archive has millions of rows, and answers begin with the first.
    for batch in file.iter_batches(columns=["uri"]):
        yield from (uri or "" for uri in batch["uri"].to_pylist())  # a missing one is rejected like any other
