"""Finishes a run: from what became of every photo come its inventory, changes and rejects, and run.json last."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from foundation.errors import ArtifactRefusedError, FirstseenError
from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.run_tables import changes_schema, inventory_schema, reject_schema
from foundation.store.runs import CHANGES, INVENTORY, REJECTS, RUN_DESCRIPTION, Accounting, Run
from pipelines.encode.database import count, query_named, rows_of, write_query
from pipelines.encode.outcomes import FinishedChunk


def finish_run(
    database: duckdb.DuckDBPyConnection,
    store: Store,
    run: Run,
    chunks: Sequence[FinishedChunk],
    *,
    folder: Path,
    mark: str = "",
) -> Run:
    """Writes the files that describe a run, run.json last, and returns it; `run` is the planned one.

    The database holds what `pipelines.encode.compare` made, and nothing is left to be read. `mark` tells the names of
    these files from those of another process at the same run. Raises FirstseenError if a photo is unaccounted for, and
    ArtifactRefusedError if another process finished the run: its files stay as they are.
    """
    accounting = account(database)
    shards = [chunk.shard for chunk in chunks if chunk.shard]
    files = {shard.name: shard.record for shard in shards}
    rows = {shard.name: shard.rows for shard in shards}
    found = count(database, "SELECT count(*) FROM outcomes WHERE is_embedded")
    if sum(rows.values()) != found:
        raise FirstseenError(
            f"run {run.run_id} lost track of photos: its shards hold {sum(rows.values()):,} rows, and {found:,} were "
            "embedded; encode again"
        )
    changes = write_query(database, query_named("changes"), folder / CHANGES, changes_schema())
    write_query(database, f"{_inventory('state')} ORDER BY position", folder / INVENTORY, inventory_schema())
    write_query(database, _REJECTS, folder / REJECTS, reject_schema())
    written = {_marked(name, mark): name for name in [INVENTORY, REJECTS, *([CHANGES] if changes else [])]}
    for name, local in written.items():
        store.upload(f"{run.directory}/{name}", folder / local)
    files |= artifact.record(store, run.directory, list(written))
    finished = replace(run, accounting=accounting, rows=rows, files=files, changes=changes)
    try:
        artifact.finish(store, f"{run.directory}/{RUN_DESCRIPTION}", finished)
    except ArtifactRefusedError:
        store.delete([f"{run.directory}/{name}" for name in written])
        raise
    return finished


def _marked(name: str, mark: str) -> str:
    stem, _, ending = name.partition(".")
    return f"{stem}-{mark}.{ending}" if mark else name


def is_as_before(database: duckdb.DuckDBPyConnection) -> bool:
    """Returns whether a run would say just what the last one said: all that was read is as it was.

    So it is when contents are checked, and with what cannot be read again and again, such as links.
    """
    # Of a content that was lost everything is said anew.
    for said in ("outcomes WHERE is_embedded", "state WHERE content_sha256 IN (FROM lost_contents)"):
        if count(database, f"SELECT count(*) FROM {said}"):  # noqa: S608 (names of ours)
            return False
    now, before = _inventory("state"), _inventory("previous")
    return not count(database, f"SELECT count(*) FROM (({now} EXCEPT {before}) UNION ALL ({before} EXCEPT {now}))")  # noqa: S608


def account(database: duckdb.DuckDBPyConnection) -> Accounting:
    """Returns what became of every listed photo; raises FirstseenError if the sum does not hold."""
    fates = dict(rows_of(database, "SELECT became, count(*) FROM state GROUP BY became"))
    reasons = rows_of(database, "SELECT reason, count(*) FROM state WHERE became = 'rejected' GROUP BY ALL")
    accounting = Accounting(
        listed=sum(fates.values()),
        embedded=fates.get("embedded", 0),
        duplicates=fates.get("duplicate", 0),
        renamed=fates.get("renamed", 0),
        unchanged=fates.get("unchanged", 0),
        rejected={str(reason): int(photos) for reason, photos in sorted(reasons)},
        updated=count(database, "SELECT count(*) FROM state WHERE is_updated"),
        removed=len(database.sql(query_named("removed"))),
        contents=count(database, "SELECT count(DISTINCT content_sha256) FROM state"),
        photos=count(database, "SELECT count(*) FROM state WHERE content_sha256 IS NOT NULL"),
    )
    accounting.check()
    return accounting


def _inventory(table: str) -> str:
    return f"SELECT {', '.join(inventory_schema().names)} FROM {table}"  # noqa: S608 (names of ours)


_REJECTS = """
    SELECT photo_id, uri, reason, coalesce(detail, '') AS detail FROM state WHERE reason IS NOT NULL ORDER BY position
"""
