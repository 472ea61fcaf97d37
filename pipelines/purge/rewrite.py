"""Writes the tables of runs anew without a purged photo, batch by batch."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from foundation.store.run_tables import given_fields
from foundation.store.runs import CHANGES, INVENTORY, REJECTS
from pipelines.encode.write_shards import EMBEDDING_COLUMN
from pipelines.purge.traces import BATCH_ROWS, Purged, is_purged, rows_with_trace

WITHDRAWN = "the photo was withdrawn: see `firstseen retract --list`"
Row = dict


def rewrite(source: Path, target: Path, purged: Purged, names: set[str], *, kind: str) -> int:
    """Writes a table of a run anew without what was purged; returns the rows that are left.

    kind: the name of the table as a run has it by default, or anything else for a shard. `names` are the purged
    photo_ids of the run's archive. A copy of a purged photo under another name stays listed, as withdrawn.
    """
    change = {INVENTORY: _in_inventory, CHANGES: _gone, REJECTS: _gone}.get(kind, _in_shard)
    rows = 0
    with parquet.ParquetFile(source) as file:
        vectors = [EMBEDDING_COLUMN] if "embedding" in file.schema_arrow.names else False
        with parquet.ParquetWriter(
            target, file.schema_arrow, compression="zstd", use_dictionary=not vectors, use_byte_stream_split=vectors
        ) as writer:
            for batch in file.iter_batches(BATCH_ROWS):
                kept = _rewritten(batch, purged, names, change)
                writer.write_table(kept)
                rows += kept.num_rows
    return rows


def _rewritten(
    batch: pa.RecordBatch, purged: Purged, names: set[str], change: Callable[[Row, Purged, set[str]], Row | None]
) -> pa.Table:
    """Returns the rows without a trace as they are, and the others changed, in their order."""
    marked = rows_with_trace(batch, purged, names)
    table = pa.Table.from_batches([batch])
    if not marked.any():
        return table
    parts, start = [], 0
    for place in [*marked.nonzero()[0].tolist(), batch.num_rows]:
        parts.append(table.slice(start, place - start))
        if place < batch.num_rows:
            (row,) = table.slice(place, 1).to_pylist()
            changed = change(row, purged, names)
            if changed is not None:
                parts.append(pa.Table.from_pylist([changed], schema=table.schema))
        start = place + 1
    return pa.concat_tables(parts)


def _gone(row: Row, purged: Purged, names: set[str]) -> Row | None:
    return None


def _in_inventory(row: Row, purged: Purged, names: set[str]) -> Row | None:
    if row["photo_id"] in names:
        return None
    if row["content_sha256"] in purged.earlier:
        # Another photo has it since a moment ago. Nobody withdrew it, and the next purge knows that it is shared.
        return row
    nothing = dict.fromkeys([*(field.name for field in given_fields()), "sidecar", "content_sha256"])
    withdrawn = {**nothing, "reason": "retracted", "detail": WITHDRAWN}
    return {**row, **{name: value for name, value in withdrawn.items() if name in row}}


def _in_shard(row: Row, purged: Purged, names: set[str]) -> Row | None:
    """Returns a row whose content is another photo's, too, without the purged one's name."""
    if row["content_sha256"] in purged.contents:
        return None
    left = [one for one in row["occurrences"] if not is_purged(one, purged, names=names)]
    own = left[0] if left else {}
    mine = {"photo_id": own.get("photo_id", ""), "uri": own.get("uri", "")}
    said = {name: own.get(name) for name in ("published_at", "source")}
    return {**row, **(mine | said if row["photo_id"] in names else {}), "occurrences": left}
