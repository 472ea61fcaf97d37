"""Takes purged photos out of every run: tables are written anew, amendments say so, and the old files go."""

import tempfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from foundation.errors import TemporaryError
from foundation.store import artifact
from foundation.store.amendments import amend, read_amendments, remove_amended
from foundation.store.artifact import FileRecord
from foundation.store.files import Store
from foundation.store.run_paths import EMBEDDINGS, run_directory, run_path
from foundation.store.runs import CHANGES, INVENTORY, REJECTS, Run, read_run
from foundation.store.unfinished import is_at_work, read_begun
from pipelines.purge.file_traces import has_trace
from pipelines.purge.rewrite import rewrite
from pipelines.purge.traces import Purged


@dataclass
class RunsPurged:
    """How many files of runs were read and written anew, and which unfinished runs went."""

    read: int = 0
    rewritten: int = 0
    removed: list[str] = field(default_factory=list)


def purge_runs(store: Store, purged: Purged) -> RunsPurged:
    """Takes what is purged out of the runs of all encoders, those that wait or are left out, too.

    Raises TemporaryError for a run that is being written and has met it, ArtifactRefusedError for a damaged table.
    """
    amendments, result = read_amendments(store), RunsPurged()
    for entry in amendments.entries:
        # A process may have died between the amendment and the removal.
        remove_amended(store, entry)
    for encoder_id in store.directories(EMBEDDINGS):
        for run_id in store.directories(f"{EMBEDDINGS}/{encoder_id}"):
            if store.exists(run_path(encoder_id, run_id)):
                run, _ = read_run(store, encoder_id, run_id, amendments)
                _purge_run(store, run, purged, result)
            else:
                _purge_unfinished(store, encoder_id, run_id, purged, result)
    return result


def _purge_run(store: Store, run: Run, purged: Purged, result: RunsPurged) -> None:
    names = purged.names_in(run.archive)
    marked = [name for name in run.files if _has_trace(store, f"{run.directory}/{name}", purged, names, result)]
    with tempfile.TemporaryDirectory(prefix="firstseen-") as folder:
        added: dict[str, FileRecord] = {}
        rows: dict[str, int] = {}
        changes = None
        for name in marked:
            kind = _kind(name)
            stem = kind.partition(".")[0]
            new, local = f"{stem}-{uuid.uuid4().hex}.parquet", Path(folder, "table.parquet")
            artifact.verify_files(store, run.directory, {name: run.files[name]})
            with store.local_copy(run.directory, [name]) as directory:
                left = rewrite(directory / name, local, purged, names, kind=kind)
            changes = left if kind == CHANGES else changes
            if kind in (INVENTORY, REJECTS) or left:
                store.upload(f"{run.directory}/{new}", local)
                added |= artifact.record(store, run.directory, [new])
                rows |= {new: left} if name in run.rows else {}
        if marked:
            key = (run.encoder_id, run.run_id)
            amend(store, key, why="purge", removed=marked, added=added, rows=rows, changes=changes)
            result.rewritten += len(marked)
    _remove_leftovers(store, run.directory, {*run.files, *added} - set(marked), purged, names, result)


def _remove_leftovers(
    store: Store, directory: str, listed: set[str], purged: Purged, names: set[str], result: RunsPurged
) -> None:
    """Removes files with a trace that nothing lists: what a killed attempt at a run left behind."""
    unlisted = [name for name in store.sizes(directory) if name not in listed]
    store.delete(
        [f"{directory}/{name}" for name in unlisted if _has_trace(store, f"{directory}/{name}", purged, names, result)]
    )


def _purge_unfinished(store: Store, encoder_id: str, run_id: str, purged: Purged, result: RunsPurged) -> None:
    """Removes a run that was cut off and has met what is purged; the next encode of its archive begins anew."""
    directory, begun = run_directory(encoder_id, run_id), read_begun(store, encoder_id, run_id)
    names = purged.names_in(begun.run.archive) if begun else {name for _, name in purged.photos}
    files = list(store.sizes(directory))
    if not any(_has_trace(store, f"{directory}/{name}", purged, names, result) for name in files):
        return
    if begun and is_at_work(begun):
        raise TemporaryError(
            f"process {begun.process} is encoding {begun.run.archive} and has met what is purged; run again when it is "
            "done: what was purged so far stays so"
        )
    store.delete([f"{directory}/{name}" for name in files])
    result.removed.append(run_id)


def _has_trace(store: Store, path: str, purged: Purged, names: set[str], result: RunsPurged) -> bool:
    result.read += 1
    return bool(has_trace(store, path, purged, names))


def _kind(name: str) -> str:
    """Returns the table that a file of a run is: its inventory, changes, rejects, or a shard."""
    for kind in (INVENTORY, CHANGES, REJECTS):
        if name.startswith(kind.partition(".")[0]):
            return kind
    return "part.parquet"
