"""Finds photos by their names in the runs of a store, for what no live segment mentions."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from foundation.store.chains import read_runs
from foundation.store.files import Store
from foundation.store.retractions import RetractedPhoto
from foundation.store.run_paths import EMBEDDINGS
from foundation.store.runs import CHANGES, REJECTS, Run
from foundation.store.tables import open_table

COLUMNS = ("photo_id", "content_sha256", "occurrences")
BATCH_ROWS = 65_536


def photos_in_runs(store: Store, photo_ids: Sequence[str], *, archive: str | None = None) -> list[RetractedPhoto]:
    """Returns the photos of these names with the content that the last run says that had any, of each encoder.

    Runs that wait, that a rollback left out, and of encoders that are not live count as well: their files hold the
    photos. Reads two columns of every inventory, some hundred bytes a photo; runs of older versions name contents in
    their shards alone. Raises ArtifactRefusedError for a table that is damaged.
    """
    found: dict[tuple[str, str, str], RetractedPhoto] = {}
    for encoder_id in store.directories(EMBEDDINGS):
        runs = [one.run for one in read_runs(store, encoder_id).finished if archive in (None, one.run.archive)]
        for run in sorted(runs, key=lambda run: (run.generation, run.run_id)):
            for photo_id, content in _contents(store, run, photo_ids):
                photo = RetractedPhoto(archive=run.archive, photo_id=photo_id, content_sha256=content.hex())
                found[(encoder_id, run.archive, photo_id)] = photo
    return list(dict.fromkeys(found.values()))


def _contents(store: Store, run: Run, photo_ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yields (photo_id, content) of what a run says of these photos: its inventory, or else its shards."""
    others = tuple(kind.partition(".")[0] for kind in (CHANGES, REJECTS))
    tables = [name for name in run.files if name not in run.rows and not name.startswith(others)]
    for name in tables if run.generation and tables else run.rows:
        with open_table(store, f"{run.directory}/{name}") as file:
            columns = [column for column in COLUMNS if column in file.schema_arrow.names]
            for batch in file.iter_batches(BATCH_ROWS, columns=columns):
                yield from _named(batch, photo_ids)


def _named(batch: pa.RecordBatch, photo_ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    wanted = pa.array(photo_ids, pa.string())
    if "occurrences" not in batch.schema.names:
        chosen = pc.and_(pc.is_in(batch["photo_id"], wanted), pc.is_valid(batch["content_sha256"]))
        yield from ((row["photo_id"], row["content_sha256"]) for row in batch.filter(chosen).to_pylist())
        return
    lists = batch["occurrences"]
    chosen = pc.is_in(lists.flatten().field("photo_id"), wanted)
    # A row names every photo that has its content.
    rows = pc.unique(pc.list_parent_indices(lists).filter(chosen))
    for row in batch.take(rows).to_pylist():
        names = dict.fromkeys(one["photo_id"] for one in row["occurrences"])
        yield from ((name, row["content_sha256"]) for name in names if name in photo_ids)
