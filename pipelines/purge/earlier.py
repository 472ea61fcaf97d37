"""Finds what else a photo has left behind: contents that it had earlier, and thumbnails."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from foundation.store.chains import read_runs
from foundation.store.files import Store
from foundation.store.run_paths import EMBEDDINGS
from foundation.store.runs import Run
from foundation.store.tables import open_table
from pipelines.purge.traces import BATCH_ROWS, NAMING, Purged, is_purged, rows_with_trace


def with_earlier(store: Store, photos: frozenset[tuple[str, str]], contents: frozenset[bytes]) -> Purged:
    """Returns what has to go: the contents, those that the photos had earlier and no other photo had, and thumbnails.

    Reads the names and hashes of all runs, some hundred bytes a photo.
    """
    purged = Purged(photos, contents)
    runs = [one.run for encoder_id in store.directories(EMBEDDINGS) for one in read_runs(store, encoder_id).finished]
    found = _Found()
    for run in runs:
        for name in run.files:
            _add_traces(store, run, name, purged, found)
    earlier = found.contents - contents
    alone = frozenset(earlier - _of_others(store, runs, earlier, purged)) if earlier else frozenset()
    gone = contents | alone
    jpegs = frozenset(jpeg for content, jpeg in found.thumbnails.items() if content in gone and jpeg)
    return Purged(photos, gone, jpegs, alone, frozenset(found.uris))


@dataclass
class _Found:
    """What rows say of purged photos: their contents, of those the thumbnails, and where the photos lay."""

    contents: set[bytes] = field(default_factory=set)
    thumbnails: dict[bytes, bytes] = field(default_factory=dict)
    uris: set[str] = field(default_factory=set)


def _add_traces(store: Store, run: Run, name: str, purged: Purged, found: _Found) -> None:
    """Adds what the rows of one file say that have a trace of what is purged."""
    names = purged.names_in(run.archive)
    with open_table(store, f"{run.directory}/{name}") as file:
        columns = [column for column in file.schema_arrow.names if column in NAMING]
        if "content_sha256" not in columns:
            return
        more = [column for column in file.schema_arrow.names if column in ("uri", "thumbnail")]
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=columns).combine_chunks()
            marked = pa.array(_marked(table, run, purged))
            if not pc.any(marked).as_py():
                continue
            contents = table["content_sha256"].filter(marked).to_pylist()
            found.contents |= set(contents) - {None}
            rows = file.read_row_group(group, columns=["photo_id", *more]).filter(marked).to_pylist()
            found.uris |= {row["uri"] for row in rows if row["photo_id"] in names}
            found.thumbnails |= zip(contents, (row.get("thumbnail", b"") for row in rows), strict=True)


def _marked(table: pa.Table, run: Run, purged: Purged) -> list[bool]:
    names = purged.names_in(run.archive)
    return [
        is_marked
        for batch in table.to_batches(max_chunksize=BATCH_ROWS)
        for is_marked in rows_with_trace(batch, purged, names).tolist()
    ]


def _of_others(store: Store, runs: Iterable[Run], contents: set[bytes], purged: Purged) -> set[bytes]:
    """Returns the contents that other photos have, or had, as any table of any run says.

    The last run of an archive does not tell: a rollback may have left it out, and then what it misses is still there.
    Inventories are not enough: runs of older versions name photos in their shards alone.
    """
    found: set[bytes] = set()
    wanted = pa.array(sorted(contents), pa.binary(32))
    for run in runs:
        names = purged.names_in(run.archive)
        for name in run.files:
            with open_table(store, f"{run.directory}/{name}") as file:
                columns = [column for column in file.schema_arrow.names if column in NAMING]
                if "content_sha256" not in columns:
                    continue
                for batch in file.iter_batches(BATCH_ROWS, columns=columns):
                    rows = batch.filter(pc.is_in(batch["content_sha256"], wanted)).to_pylist()
                    found |= {row["content_sha256"] for row in rows if _is_of_another(row, purged, names)}
    return found


def _is_of_another(row: dict[str, Any], purged: Purged, names: set[str]) -> bool:
    # A row that an earlier purge left without a name is nobody's.
    return row["photo_id"] not in {*names, ""} or any(
        not is_purged(one, purged, names=names) for one in row.get("occurrences") or ()
    )
