"""Finds out how an archive stood after its last run, in one file that a listing is compared with."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from foundation.errors import ArtifactRefusedError
from foundation.store import artifact
from foundation.store.chains import FinishedRun, RunsOfEncoder, waiting_runs
from foundation.store.files import Store
from foundation.store.run_tables import inventory_schema
from foundation.store.runs import INVENTORY, read_run
from foundation.store.snapshots import Snapshot
from pipelines.encode.compare import superseded_schema
from pipelines.encode.database import add_table, open_database, query_named, write_query


@dataclass(frozen=True)
class Previous:
    """The runs that say how an archive stood: the last one, or all there are if they are of an older version.

    `waiting` are the runs of any archive that are not indexed yet: what they embedded is known, too.
    """

    runs: list[FinishedRun]
    waiting: list[FinishedRun]

    @property
    def run_id(self) -> str | None:
        """The run that the next one of this archive is relative to."""
        return self.runs[-1].run.run_id if self.runs else None

    @property
    def generation(self) -> int:
        """The generation of that run, 0 without one."""
        return self.runs[-1].run.generation if self.runs else 0

    @property
    def created_at(self) -> datetime | None:
        """When that run began."""
        return datetime.fromisoformat(self.runs[-1].run.created_at) if self.runs else None


def find_previous(
    runs: RunsOfEncoder, live: Snapshot | None, archive: str, *, left_out: Iterable[str] = ()
) -> Previous:
    """Returns how an archive stands, by what is live and what waits to be; `live` is of the same encoder.

    `left_out` are the runs that a live snapshot of another encoder names as such.

    Raises ArtifactRefusedError if the run up to which the archive is live is gone: a run that does not follow it would
    never be indexed.
    """
    waiting = waiting_runs(runs.finished, live, left_out=left_out)
    own = [one for one in waiting if one.run.archive == archive]
    state = live.archives.get(archive) if live else None
    if not own and state:
        own = [one for one in runs.finished if one.run.run_id == state.run_id]
        if live and not own:
            raise ArtifactRefusedError(
                f"run {state.run_id}, up to which snapshot {live.number} knows {archive}, is missing or damaged; "
                "restore its run.json from a copy, or publish a snapshot without it: `firstseen rollback --to NUMBER`"
            )
    if own and own[-1].run.generation:
        return Previous(own[-1:], waiting)
    # A run of an older version says of its own photos alone what they hold.
    out = {*left_out, *(live.left_out if live else ())}
    older = [
        one
        for one in runs.finished
        if one.run.archive == archive and not one.run.generation and one.run.run_id not in out
    ]
    # A run that is relative to one that was left out would never be indexed.
    return Previous(sorted(older, key=lambda one: one.run.run_id) if own else [], waiting)


def find_other(store: Store, live: Snapshot, archive: str) -> Previous:
    """Returns how an archive stands by a snapshot of another encoder, for what is known of its photos."""
    state = live.archives.get(archive)
    return Previous([FinishedRun(*read_run(store, live.encoder_id, state.run_id))] if state else [], [])


@contextmanager
def previous_inventory(store: Store, previous: Previous, folder: Path) -> Iterator[list[Path]]:
    """Yields the file, or no file, that holds the inventory after the last run, in the columns of today.

    After runs of an older version a second file has more contents that they say of its photos: see `superseded_schema`.
    Raises ArtifactRefusedError if it is damaged: against it, every photo would seem new or removed.
    """
    if not previous.runs:
        yield []
    elif previous.generation or previous.runs[-1].run.inventory_file != INVENTORY:
        # An inventory that was written anew says what photos hold, whatever the version of its run.
        run = previous.runs[-1].run
        name = run.inventory_file
        with store.local_copy(run.directory, [name]) as directory:
            artifact.verify_files(Store(directory), ".", {name: run.files[name]}, original=run.directory)
            yield [directory / name]
    else:
        paths = [folder / "older-inventory.parquet", folder / "superseded.parquet"]
        _write_older(store, previous.runs, *paths, folder=folder)
        yield paths


def _write_older(store: Store, runs: Sequence[FinishedRun], path: Path, superseded: Path, *, folder: Path) -> None:
    """Writes the inventory that runs of an older version would have written, from their listings and shards."""
    inventories, shards = [], []
    with ExitStack() as copies, open_database(folder) as database:
        for one in runs:
            names = [name for name in one.run.files if name == INVENTORY or name in one.run.shards]
            directory = copies.enter_context(store.local_copy(one.run.directory, names))
            inventories += [directory / name for name in names if name == INVENTORY]
            shards += [directory / name for name in names if name != INVENTORY]
        add_table(database, "listed", inventories[-1:], inventory_schema())
        occurrences = pa.list_(pa.struct([("photo_id", pa.string()), ("uri", pa.string())]))
        rows = pa.schema([("content_sha256", pa.binary(32)), ("occurrences", occurrences)])
        add_table(database, "embedded", shards, rows)
        for query, target, schema in (
            ("older_inventory", path, inventory_schema()),
            ("older_superseded", superseded, superseded_schema()),
        ):
            write_query(database, query_named(query), target, schema)
