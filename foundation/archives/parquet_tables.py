"""Lists and reads Parquet files with a column of encoded images, found by its type and name.

A row cannot be read alone: Parquet compresses pages of many. Rows that are asked for in their order are therefore read
in one pass over their row group, and only a step back begins it again.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from foundation.archives import inventories, places
from foundation.archives.photos import EncodedPhoto, Entry, File, UnreadablePhotoError, require_size, unreadable
from foundation.archives.uris import shown, split, with_part
from foundation.errors import FirstseenError, InputNotFoundError, TemporaryError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIX = ".parquet"
ROW = re.compile(r"\d{1,18}", re.ASCII)
# In order of preference, for files with several binary columns.
PHOTO_COLUMNS = ("image", "photo", "img", "picture", "jpg", "jpeg", "png", "webp", "bytes", "content", "data")
# Rows are decompressed some at a time: 64 photos of 5 MB are 320 MB, a whole row group may be gigabytes.
ROWS_PER_READ = 64
# What Arrow reads of a column at a time: it would read the column of a row group whole, which may be gigabytes.
READ_BYTES = 4 * 2**20


def list_table(table: Entry, left_out: Counter[str]) -> Iterator[Entry]:
    """Yields the rows of a Parquet file by its footer alone; photo_ids are `TABLE#ROW`, counted from 0.

    One without a column of images but with a `uri` or `path` is an inventory: the photos that it names are listed, see
    `foundation.archives.inventories`. Raises InputNotFoundError if it is no Parquet file, UsageError if neither holds.
    """
    file = places.look_up(table.uri)
    with _opened(file) as opened:
        schema = opened.schema_arrow
        if inventories.is_inventory(schema.names) and not _binary_columns(schema):
            return inventories.list_rows(table.uri, partial(_inventory_tables, file), left_out)
        _photo_column(schema, shown(table.uri))
        rows = opened.metadata.num_rows
    name = table.photo_id
    return (
        Entry(f"{name}#{row}", with_part(file.uri, str(row)), -1, file.modified_at, file.etag) for row in range(rows)
    )


def has_photos(schema) -> bool:
    """Returns whether a table of this schema has a column that may hold encoded photos."""
    return bool(_binary_columns(schema))


def _inventory_tables(file: File) -> "Iterator[pa.Table]":
    with _opened(file) as opened:
        columns = inventories.known_columns(opened.schema_arrow.names, shown(file.uri))
        for batch in opened.iter_batches(batch_size=inventories.ROWS_PER_READ, columns=list(columns)):
            yield inventories.table_of(batch, columns)


def read_rows(uris: Iterator[str]) -> Iterator[EncodedPhoto]:
    """Yields the photos with these URIs, all of one file: rows in ascending order are read in one pass.

    Some rows are in memory at a time. From the first row on that cannot be read, each photo reads as an error. Raises
    TemporaryError if storage does not answer.
    """
    import pyarrow as pa

    # After an error the reader cannot go on, and a run over many files must: each photo left becomes a reject.
    names = list(uris)
    done = 0
    try:
        for photo in _read_in_passes(split(names[0])[0], [split(name)[1] for name in names]):
            yield photo
            done += 1
    except TemporaryError:
        raise
    except (FirstseenError, pa.ArrowException, ValueError, OSError) as error:
        problem = UnreadablePhotoError(f"{names[done]} cannot be read: {str(error).splitlines()[0]}")
        yield from (unreadable(problem) for _ in names[done:])


def _read_in_passes(table: str, parts: list[str]) -> Iterator[EncodedPhoto]:
    """Yields the rows of these numbers, in their order; goes forwards while it can. What is no row reads as an error.

    The bytes come with the photo, read in this thread: Arrow's reader is not safe to share between threads.
    """
    with _opened(places.look_up(table)) as opened:
        column = _photo_column(opened.schema_arrow, shown(table))
        position, open_group = 0, -1
        values: Iterator[bytes] = iter(())
        for part in parts:
            # A list of queries is anybody's text, and one wrong line in it must not cost those behind it.
            number = int(part) if ROW.fullmatch(part) else -1
            if not 0 <= number < opened.metadata.num_rows:
                problem = f"{shown(table)}#{part} is no row of it; expected 0 to {opened.metadata.num_rows - 1}"
                yield unreadable(UnreadablePhotoError(problem))
                continue
            start, group = _group_of(opened.metadata, number)
            if group != open_group or position > number:
                position, open_group, values = start, group, _values(opened, column, group)
            # What lies between is decompressed and dropped: chunks of an inventory end where row groups do not.
            data = next(itertools.islice(values, number - position, None), None)
            if data is None:
                raise ValueError(f"row group {group} ends before row {number}, which its footer names")
            yield EncodedPhoto(partial(_checked, f"{shown(table)}#{number}", data))
            position = number + 1


def _group_of(metadata, number: int) -> tuple[int, int]:
    """Returns (the first row of the row group that holds a row, the group's number)."""
    start = 0
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        if start <= number < start + rows:
            return start, group
        start += rows
    raise ValueError(f"its row groups have {start} rows, and none of number {number}")


def _values(opened, column: str, group: int) -> Iterator[bytes]:
    """Yields the bytes of a row group; a row without any is a photo like another that cannot be decoded."""
    for batch in opened.iter_batches(batch_size=ROWS_PER_READ, row_groups=[group], columns=[column]):
        values = batch.column(0)
        if column.endswith(".bytes") and column not in opened.schema_arrow.names:
            values = values.field("bytes")
        yield from (value.as_py() or b"" for value in values)


def _checked(name: str, data: bytes) -> bytes:
    require_size(name, len(data))
    return data


@contextmanager
def _opened(file: File):
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with places.open_file(file) as opened, pq.ParquetFile(opened, buffer_size=READ_BYTES) as table:
            yield table
    except (pa.ArrowException, OSError) as error:
        raise InputNotFoundError(f"cannot read {shown(file.uri)}: {error}; expected a Parquet file") from error


def _photo_column(schema, table: str) -> str:
    """Returns the path of the column of encoded photos: binary, or a struct with `bytes` as Hugging Face writes.

    Raises UsageError listing the columns if none of them can be it, or several.
    """
    found = _binary_columns(schema)
    preferred = [name for name in PHOTO_COLUMNS if name in found]
    if preferred:
        return found[preferred[0]]
    if len(found) == 1:
        return next(iter(found.values()))
    columns = ", ".join(f"{item.name} ({item.type})" for item in schema)
    problem = f"several binary columns ({', '.join(found)})" if found else "no binary column"
    raise UsageError(
        f"{table} has {problem}; expected one of encoded images named one of {', '.join(PHOTO_COLUMNS)}; "
        f"its columns: {columns}"
    )


def _binary_columns(schema) -> dict[str, str]:
    """Returns the paths of the columns that may hold encoded photos, by the names of the columns."""
    import pyarrow as pa

    def is_binary(kind) -> bool:
        return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)

    found = {item.name: item.name for item in schema if is_binary(item.type)}
    for item in schema:
        if pa.types.is_struct(item.type) and any(part.name == "bytes" and is_binary(part.type) for part in item.type):
            found[item.name] = f"{item.name}.bytes"
    return found
