"""Plans the work of one attempt at a run: the photos to read, in chunks, and the contents that need no vector."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from foundation.store.content_hashes import hash_array
from foundation.store.files import Store
from foundation.store.run_paths import run_path
from foundation.store.runs import Run
from foundation.store.snapshots import Snapshot
from foundation.store.unfinished import begun_paths
from pipelines.encode.compare import write_work
from pipelines.encode.held import Waiting, embedded_contents, indexed_contents, sorted_hashes
from pipelines.encode.outcomes import OUTCOMES
from pipelines.encode.withdrawn import Withdrawn
from pipelines.encode.write_shards import SHARD_PREFIX

WORK = "work"


@dataclass(frozen=True, kw_only=True)
class Work:
    """The photos that one attempt at a run has to read: a Parquet file of the store, a row group for each chunk.

    `known` are files of content hashes, ascending, that are not embedded again, `withdrawn` of those that must not be.
    """

    attempt: str
    path: str
    chunks: int
    known: list[str]
    withdrawn: list[str]


def plan_work(
    store: Store,
    run: Run,
    waiting: Sequence[Waiting],
    live: Snapshot | None,
    withdrawn: Withdrawn,
    *,
    database: duckdb.DuckDBPyConnection,
    folder: Path,
    chunk_photos: int,
) -> Work:
    """Writes the work of an attempt into the run's directory, from the table `compared` of the database."""
    # A name of this attempt alone: what an earlier one left stays as it was.
    attempt = uuid.uuid4().hex[:12]
    prefix = f"{run.directory}/{WORK}/{attempt}"
    path = folder / "work.parquet"
    chunks = write_work(database, path, chunk_photos=chunk_photos)
    store.upload(f"{prefix}.parquet", path)
    fresh = sorted_hashes([*embedded_contents(waiting, run.features), *_embedded_before(database)])
    return Work(
        attempt=attempt,
        path=f"{prefix}.parquet",
        chunks=chunks,
        known=indexed_contents(store, live, run.features) + _write_hashes(store, f"{prefix}-known.npy", fresh, folder),
        withdrawn=_write_hashes(
            store, f"{prefix}-withdrawn.npy", sorted_hashes([hash_array(withdrawn.contents)]), folder
        ),
    )


def remove_work(store: Store, run: Run) -> None:
    """Removes what a run needed until it was finished, and shards that it does not list; `run` names those it lists."""
    names = [f"{folder}/{name}" for folder in (WORK, OUTCOMES) for name in store.files(f"{run.directory}/{folder}")]
    # A worker that is killed between a shard and the outcomes that name it leaves the shard, and its chunk is done
    # again under another name.
    # Of a run that another process has finished meanwhile, that one knows which shards count.
    if run.rows or not store.exists(run_path(run.encoder_id, run.run_id)):
        names += [one for one in store.files(run.directory) if one.startswith(SHARD_PREFIX) and one not in run.rows]
    store.delete([*begun_paths(store, run.directory), *(f"{run.directory}/{name}" for name in names)])


def remove_attempt(store: Store, work: Work, begun: str) -> None:
    """Removes the work of an attempt that came to nothing, and what it wrote down at its beginning, at `begun`."""
    store.delete([begun, work.path, *(path for path in (*work.known, *work.withdrawn) if WORK in path.split("/"))])


def _embedded_before(database: duckdb.DuckDBPyConnection) -> Iterator[np.ndarray]:
    """Yields the contents, S32, that attempts at the run have embedded."""
    for batch in database.sql("SELECT content_sha256 FROM outcomes WHERE is_embedded").to_arrow_reader():
        yield hash_array(batch.column(0).to_pylist())


def _write_hashes(store: Store, path: str, hashes: np.ndarray, folder: Path) -> list[str]:
    if not len(hashes):
        return []
    local = folder / "hashes.npy"
    np.save(local, hashes)
    store.upload(path, local)
    return [path]
