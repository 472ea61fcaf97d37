"""What to look up: photos, folders, inventories and lists on stdin, as one stream of names."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pyarrow import ArrowException, parquet, types

from foundation.archives import folders
from foundation.archives.uris import path_of, uri_of
from foundation.errors import InputNotFoundError


def list_queries(arguments: Iterable[str], *, stdin: Iterable[str]) -> Iterator[str]:
    """Yields the path or uri of every query: `-` reads one per line, a folder is walked, a .parquet is an inventory.

    A photo is named as it was given, or by its path below the folder that was given, even if it is missing: its
    answer says so. A name that is not UTF-8 becomes a `file://` URI, since no format could write it.
    """
    for argument in arguments:
        path = path_of(argument)
        if argument == "-":
            yield from (_writable(line.rstrip("\r\n")) for line in stdin if line.strip())
        elif path.is_dir():
            yield from (_writable(str(name)) for name in _below(path))
        elif path.suffix.lower() == ".parquet":
            yield from _uris(path)
        else:
            yield _writable(argument)


def _below(folder: Path) -> Iterator[Path]:
    for entry in folders.list_folder(folder):
        yield folder / path_of(entry.uri).relative_to(folder.absolute())


def _writable(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        return uri_of(Path(name))
    return name


def _uris(inventory: Path) -> Iterator[str]:
    try:
        file = parquet.ParquetFile(inventory)
        if "uri" not in file.schema_arrow.names:
            raise InputNotFoundError(
                f"inventory {inventory} has the columns {file.schema_arrow.names}; expected uri among them"
            )
        kind = file.schema_arrow.field("uri").type
        if not (types.is_string(kind) or types.is_large_string(kind)):
            raise InputNotFoundError(f"inventory {inventory} has a column uri of {kind}; expected text")
        for batch in file.iter_batches(columns=["uri"]):
            yield from (uri or "" for uri in batch["uri"].to_pylist())  # a missing one is rejected like any other
    except (OSError, ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise InputNotFoundError(f"inventory {inventory} cannot be read: {reason}; expected Parquet") from error
