"""Training photos out of Parquet files: one column of encoded images, found by its type and name."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from foundation.archives.photo_source import EncodedPhoto
from foundation.errors import InputNotFoundError, UsageError

# In order of preference, for files with several binary columns.
PHOTO_COLUMNS = ("image", "photo", "img", "picture", "jpg", "jpeg", "png", "webp", "bytes", "content", "data")
ROWS_PER_READ = 64


def count_photos(table: Path) -> int:
    """Returns the number of rows of a Parquet file, by its footer.

    Raises InputNotFoundError if it is none, UsageError if no column of it holds photos.
    """
    with _opened(table) as opened:
        _photo_column(opened.schema_arrow, table)
        return opened.metadata.num_rows


def read_photos(table: Path) -> Iterator[EncodedPhoto]:
    """Yields the photos of a Parquet file in their order, some rows in memory at a time."""
    with _opened(table) as opened:
        column = _photo_column(opened.schema_arrow, table)
        for batch in opened.iter_batches(batch_size=ROWS_PER_READ, columns=[column]):
            values = batch.column(0)
            if column.endswith(".bytes") and column not in opened.schema_arrow.names:
                values = values.field("bytes")
            # A row without bytes is a photo like any other that cannot be decoded: counted, not dropped.
            yield from (EncodedPhoto(partial(bytes, value.as_py() or b"")) for value in values)


def _opened(table: Path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(table)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputNotFoundError(f"cannot read {table}: {error}; expected a Parquet file") from error


def _photo_column(schema, table: Path) -> str:
    """Returns the path of the column of encoded photos: binary, or a struct with `bytes` as Hugging Face writes."""
    import pyarrow as pa

    def is_binary(kind) -> bool:
        return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)

    found = {item.name: item.name for item in schema if is_binary(item.type)}
    for item in schema:
        if pa.types.is_struct(item.type) and any(part.name == "bytes" and is_binary(part.type) for part in item.type):
            found[item.name] = f"{item.name}.bytes"
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
