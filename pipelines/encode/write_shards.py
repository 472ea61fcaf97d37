"""Writes a run's Parquet files: each under a fresh name, trusted only once run.json lists it.

Beam's own `WriteToParquet` renames its files one by one when a run ends: a kill leaves half of them visible, and a
second run with another number of shards leaves rows of the first. Fresh names need no renaming, and no shuffle.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.metrics import Metrics
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue
from pyarrow import parquet

from foundation.store.artifact import FileRecord, digest_of
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence
from foundation.store.runs import reject_schema
from pipelines.encode.decode_photos import Reject
from pipelines.encode.duplicates import RowEdit, ShardRow, apply_edits, read_shard

ROWS_BY_CONTENT = "rows_by_content"
# The index reads whole shards; row groups of this size let other readers take some rows, at 8 MB per 256 numbers.
ROW_GROUP_ROWS = 8_192
# Local features are 20 KB a row: without this bound, a shard of 50,000 rows would hold a gigabyte of them. It decides
# how much a worker holds while it encodes, and several times as much while it indexes.
SHARD_BYTES = 64 * 2**20
# Parquet's name of the numbers in a list column.
EMBEDDING_COLUMN = "embedding.list.element"


@dataclass(frozen=True)
class WrittenFile:
    """One file of a run, as run.json will list it; `reasons` counts the rejects of a rejects file by reason."""

    name: str
    rows: int
    record: FileRecord
    reasons: dict[str, int] = field(default_factory=dict)


def write_parquet(store: Store, directory: str, prefix: str, table: pa.Table) -> WrittenFile:
    """Writes one file at once, so that a reader never sees half of it.

    Raises TemporaryError on a full disk.
    """
    # A bundle that is retried writes another file, instead of one of the same name with perhaps other rows.
    name = f"{prefix}-{uuid.uuid4().hex}.parquet"
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


def rows_by_content(table: pa.Table, shard: str) -> Iterator[tuple[bytes, ShardRow]]:
    """Yields (content hash, where it lies) of every row: what exact duplicates are found by."""
    for row, columns in enumerate(table.select(["content_sha256", "photo_id", "uri", "published_at"]).to_pylist()):
        yield columns["content_sha256"], ShardRow(shard, row, Occurrence.from_struct(columns))


class WriteShards(beam.DoFn):
    """Tables of shard rows → WrittenFiles and, tagged ROWS_BY_CONTENT, (hash, ShardRow) for each of their rows.

    A shard is written as soon as it holds `rows_per_shard` rows or `shard_bytes` of memory, or more by less than one
    table. A worker holds that much, and up to twice as many bytes again while they are written: 0.2 GB at most.
    """

    def __init__(self, store: Store, directory: str, *, rows_per_shard: int, shard_bytes: int = SHARD_BYTES):
        self._store = store
        self._directory = directory
        self._rows_per_shard = rows_per_shard
        self._shard_bytes = shard_bytes
        self._rows_written = Metrics.counter("firstseen", "rows_written")
        self._bytes_written = Metrics.counter("firstseen", "bytes_written")

    def start_bundle(self) -> None:
        """Starts an empty buffer: what a failed bundle left must not leak into the next."""
        self._tables: list[pa.Table] = []
        self._rows = self._bytes = 0

    def process(self, table: pa.Table) -> Iterator[Any]:
        """Buffers the table and writes a shard when one is full."""
        self._tables.append(table)
        self._rows += table.num_rows
        self._bytes += table.nbytes
        if self._rows >= self._rows_per_shard or self._bytes >= self._shard_bytes:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Writes what is left: the end of a bundle ends a shard.

        Beam commits and retries by bundle. A buffer that outlived one would lose its rows with the worker, since Beam
        takes the elements of a finished bundle for done.
        """
        if not self._tables:
            return
        for output in self._flush():
            yield _in_global_window(output)

    def _flush(self) -> Iterator[Any]:
        table = pa.concat_tables(self._tables)
        self._tables, self._rows, self._bytes = [], 0, 0
        shard = write_parquet(self._store, self._directory, "part", table)
        self._rows_written.inc(shard.rows)
        self._bytes_written.inc(shard.record.size_bytes)
        yield shard
        for row in rows_by_content(table, shard.name):
            yield beam.pvalue.TaggedOutput(ROWS_BY_CONTENT, row)


class WriteRejects(beam.DoFn):
    """Rejects → WrittenFiles, one a bundle: rejects are few, and a bundle of them fits into memory."""

    def __init__(self, store: Store, directory: str):
        self._store = store
        self._directory = directory

    def start_bundle(self) -> None:
        """Starts an empty buffer."""
        self._rejects: list[Reject] = []

    def process(self, reject: Reject) -> None:
        """Buffers one reject: about 300 bytes."""
        self._rejects.append(reject)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Writes the bundle's rejects."""
        if self._rejects:
            yield _in_global_window(write_rejects(self._store, self._directory, self._rejects))


def write_rejects(store: Store, directory: str, rejects: Iterable[Reject]) -> WrittenFile:
    """Writes one rejects file; the counts by reason ride along for the accounting."""
    table = pa.Table.from_pylist([asdict(reject) for reject in rejects], schema=reject_schema())
    written = write_parquet(store, directory, "rejects", table)
    reasons = Counter(table["reason"].to_pylist())
    return WrittenFile(written.name, written.rows, written.record, dict(reasons))


def _in_global_window(value: Any) -> Any:
    # No element is at hand when a bundle ends, whose window and timestamp an output could take: Beam asks for them.
    # The pipeline is a batch without windows, so that everything lies in the global one.
    if isinstance(value, beam.pvalue.TaggedOutput):
        return beam.pvalue.TaggedOutput(value.tag, _in_global_window(value.value))
    return WindowedValue(value, MIN_TIMESTAMP, (GlobalWindow(),))


class RewriteShard(beam.DoFn):
    """(shard, edits of its rows) → (its name, the WrittenFile that takes its place, or None if no row is left)."""

    def __init__(self, store: Store, directory: str):
        self._store = store
        self._directory = directory

    def process(self, element: tuple[str, Iterable[RowEdit]]) -> Iterator[tuple[str, WrittenFile | None]]:
        """Reads one shard, applies the edits and writes it under a new name."""
        # Files of a store are never replaced: the old shard stays readable for a retry, until run.json names the new.
        name, edits = element
        table = apply_edits(read_shard(self._store, f"{self._directory}/{name}"), edits)
        yield name, write_parquet(self._store, self._directory, "part", table) if table.num_rows else None
