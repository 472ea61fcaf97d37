"""Makes a store what a program of version 2 would have written: runs without generations, nameless segments."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from foundation.store.artifact import FileRecord, digest_of
from foundation.store.files import Store
from foundation.store.run_tables import SHARD_VERSION
from foundation.store.runs import CHANGES, INVENTORY, Run, run_path
from foundation.store.segments import read_segment, segment_path
from foundation.store.snapshots import live_snapshot, snapshot_path

LISTED = ["photo_id", "uri", "size_bytes", "modified_at", "published_at", "caption", "credit", "source"]
OCCURRENCE = ["photo_id", "uri", "published_at"]
COUNTED_LATER = ("renamed", "updated", "removed", "photos", "contents")


def as_version_2(store: Store, *runs: Run) -> None:
    """Rewrites some runs, and the live snapshot with its segments, which hold nothing of other runs."""
    for run in runs:
        _rewrite_run(store, run)
    live = live_snapshot(store)
    if live:
        path = store.local_root / snapshot_path(live.number)
        raw = without(json.loads(path.read_text()), "archives", "left_out", "photos", "contents", "content_sha256")
        for reference in raw["segments"]:
            reference["digest"] = _rewrite_segment(store, reference["segment_id"])
        path.write_text(json.dumps(raw | {"contract_version": 1}))
        found = live_snapshot(store)
        assert found
        assert not any(read_segment(store, one).names_archives for one in found.segments)


def without(raw: dict[str, Any], *names: str) -> dict[str, Any]:
    """Returns a JSON object without some of its fields."""
    return {name: value for name, value in raw.items() if name not in names}


def describe_as_version_2(store: Store, run: Run, **changes: Any) -> None:
    """Rewrites run.json alone."""
    path = store.local_root / run_path(run.encoder_id, run.run_id)
    raw = without(json.loads(path.read_text()), "generation", "previous", "changes") | changes
    accounting = without(raw["accounting"], *COUNTED_LATER)
    path.write_text(json.dumps(raw | {"accounting": accounting, "contract_version": 2}))


def _rewrite_run(store: Store, run: Run) -> None:
    folder = store.local_root / run.directory
    inventory = parquet.read_table(folder / INVENTORY)
    parquet.write_table(inventory.select(LISTED), folder / INVENTORY)
    for name in run.shards:
        table = parquet.read_table(folder / name)
        said = table["occurrences"].to_pylist()
        columns = {"occurrences": [[{field: one[field] for field in OCCURRENCE} for one in row] for row in said]}
        # What a catalog said of the photo stood in its row.
        columns |= {word: [row[0][word] for row in said] for word in ("caption", "credit", "source")}
        for column, values in columns.items():
            number = table.schema.get_field_index(column)
            kind = None if column == "occurrences" else table.schema.field(number).type
            table = table.set_column(number, column, pa.array(values, kind))
        metadata = {**(table.schema.metadata or {}), SHARD_VERSION: b"2"}
        parquet.write_table(table.replace_schema_metadata(metadata), folder / name)
    names = [name for name in run.files if name != CHANGES]
    files = {name: vars(_record(folder / name)) for name in names}
    describe_as_version_2(store, run, files=files)


def _rewrite_segment(store: Store, segment_id: str) -> str:
    path = store.local_root / segment_path(segment_id)
    raw = without(json.loads(path.read_text()), "changes", "names_archives", "frontier")
    path.write_text(json.dumps(raw | {"contract_version": 2}))
    return digest_of(path.read_bytes())


def _record(path: Path) -> FileRecord:
    data = path.read_bytes()
    return FileRecord(len(data), digest_of(data))
