"""Writes embedding shards: each under a fresh name, trusted only once run.json lists it.

Beam's own `WriteToParquet` renames its files one by one when a run ends: a kill leaves half of them visible, and a
second run with another number of shards leaves rows of the first. Fresh names need no renaming, and no shuffle.
"""

import uuid
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import parquet

from foundation.store.artifact import FileRecord, digest_of
from foundation.store.files import Store

# The index reads whole shards; row groups of this size let other readers take some rows, at 8 MB per 256 numbers.
ROW_GROUP_ROWS = 8_192
# How the name of a shard begins.
SHARD_PREFIX = "part-"
# Parquet's name of the numbers in a list column.
EMBEDDING_COLUMN = "embedding.list.element"


@dataclass(frozen=True)
class WrittenFile:
    """One file of a run, as run.json will list it."""

    name: str
    rows: int
    record: FileRecord


def write_shard(store: Store, directory: str, table: pa.Table) -> WrittenFile:
    """Writes one shard at once, so that a reader never sees half of it; raises TemporaryError on a full disk."""
    # A chunk that is done twice writes another file, instead of one of the same name with perhaps other rows.
    name = f"{SHARD_PREFIX}{uuid.uuid4().hex}.parquet"
    data = to_parquet(table)
    store.create(f"{directory}/{name}", data)
    return WrittenFile(name, table.num_rows, FileRecord(len(data), digest_of(data)))


def to_parquet(table: pa.Table) -> bytes:
    """Returns the bytes of a Parquet file: zstd, vectors split by byte (half the size), words as dictionaries."""
    sink = pa.BufferOutputStream()
    vectors = [EMBEDDING_COLUMN] if "embedding" in table.column_names else []
    # A dictionary pays where values repeat. Vectors, hashes and names do not: they would fill one, then fall back.
    words = [name for name in table.column_names if name in ("caption", "credit", "source", "reason")]
    parquet.write_table(
        table,
        sink,
        compression="zstd",
        row_group_size=ROW_GROUP_ROWS,
        use_dictionary=words,
        use_byte_stream_split=vectors,
    )
    return sink.getvalue().to_pybytes()
