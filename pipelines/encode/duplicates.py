"""Merges the exact duplicates of a run: planned from hashes, and only the shards that hold some are rewritten.

The contract wants one row per content. Grouping whole rows by their hash would shuffle every vector of the run, a
kilobyte each; a ShardRow is about 200 bytes, and most archives hold few duplicates.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa
from pyarrow import parquet

from foundation.store.files import Store
from foundation.store.occurrences import Occurrence


class ShardRow(NamedTuple):
    """One row of one shard: where it lies, and which photo it is."""

    shard: str
    row: int
    photo: Occurrence


@dataclass(frozen=True)
class RowEdit:
    """What becomes of one row: `occurrences` replaces its list, None drops the row."""

    row: int
    occurrences: list[Occurrence] | None


def merge_duplicates(rows: Iterable[ShardRow]) -> Iterator[tuple[str, RowEdit]]:
    """Yields (shard, edit) for the rows of one content: the first published stays and names them all.

    A content that lies in one row only needs no edit. Among photos without dates the first photo_id stays, so that
    the result does not depend on the order of work.
    """
    # A total order, by date and then by photo_id: a retry, or another number of workers, keeps the same photo.
    kept, *others = sorted(rows, key=lambda row: row.photo.order)
    if not others:
        return
    yield kept.shard, RowEdit(kept.row, [one.photo for one in (kept, *others)])
    for other in others:
        yield other.shard, RowEdit(other.row, None)


def apply_edits(table: pa.Table, edits: Iterable[RowEdit]) -> pa.Table:
    """Returns the table with rows dropped and occurrences replaced; the order of rows and the metadata stay."""
    by_row = {edit.row: edit.occurrences for edit in edits}
    column = table.schema.get_field_index("occurrences")
    field = table.schema.field(column)
    occurrences = [
        [one.to_struct() for one in by_row.get(row) or ()] or old
        for row, old in enumerate(table["occurrences"].to_pylist())
    ]
    kept = [row for row in range(table.num_rows) if by_row.get(row, ()) is not None]
    return table.set_column(column, field, pa.array(occurrences, field.type)).take(pa.array(kept, pa.int64()))


def read_shard(store: Store, path: str) -> pa.Table:
    """Returns one shard, whole, with its file metadata; raises InputNotFoundError if it is gone."""
    # A shard is bounded by its rows and its bytes: see `pipelines.encode.write_shards.WriteShards`.
    with store.open(path) as file:
        return parquet.read_table(file)
