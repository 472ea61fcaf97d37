"""Exact duplicates of a run: planned from hashes, merged by rewriting only the shards that hold them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import parquet

from foundation.store.files import Store

_LATEST = datetime.max.replace(tzinfo=timezone.utc)


class Content(NamedTuple):
    """One row of one shard: where it lies, and which photo it is."""

    shard: str
    row: int
    photo_id: str
    uri: str
    published_at: datetime | None


@dataclass(frozen=True)
class RowEdit:
    """What becomes of one row: `occurrences` replaces its list, None drops the row."""

    row: int
    occurrences: list[dict[str, Any]] | None


def publication_order(published_at: datetime | None, photo_id: str) -> tuple[datetime, str]:
    """Returns what copies of one content are sorted by: first published first, undated last, then by photo_id."""
    return published_at or _LATEST, photo_id


def merge(contents: Iterable[Content]) -> Iterator[tuple[str, RowEdit]]:
    """Yields (shard, edit) for the rows of one content: the first published stays and names them all.

    A content that lies in one row only needs no edit. Among photos without dates the first photo_id stays, so that
    the result does not depend on the order of work.
    """
    kept, *others = sorted(contents, key=lambda one: publication_order(one.published_at, one.photo_id))
    if not others:
        return
    occurrences = [
        {"photo_id": one.photo_id, "uri": one.uri, "published_at": one.published_at} for one in (kept, *others)
    ]
    yield kept.shard, RowEdit(kept.row, occurrences)
    for other in others:
        yield other.shard, RowEdit(other.row, None)


def apply_edits(table: pa.Table, edits: Iterable[RowEdit]) -> pa.Table:
    """Returns the table with rows dropped and occurrences replaced; the order of rows stays."""
    by_row = {edit.row: edit.occurrences for edit in edits}
    column = table.schema.get_field_index("occurrences")
    occurrences = [by_row.get(row) or old for row, old in enumerate(table["occurrences"].to_pylist())]
    field = table.schema.field(column)
    kept = [row for row in range(table.num_rows) if by_row.get(row, ()) is not None]
    return table.set_column(column, field, pa.array(occurrences, field.type)).take(pa.array(kept, pa.int64()))


def read_shard(store: Store, path: str) -> pa.Table:
    """Returns one shard, whole, with its file metadata."""
    with store.open(path) as file:
        return parquet.read_table(file)
