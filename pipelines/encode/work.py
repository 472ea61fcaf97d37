"""Plans the work of one attempt at a run: the photos to read, in chunks, and the contents that need no vector."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError
from foundation.store.chains import FinishedRun
from foundation.store.files import Store
from foundation.store.runs import Features, Run
from foundation.store.segments import content_hashes_path, read_segment
from foundation.store.snapshots import Snapshot
from foundation.store.unfinished import begun_paths
from pipelines.encode.compare import write_work
from pipelines.encode.database import rows_of
from pipelines.encode.outcomes import OUTCOMES
from pipelines.encode.previous import Previous
from pipelines.encode.withdrawn import Withdrawn

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
    previous: Previous,
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
    fresh = _embedded(store, previous.waiting, run.features)
    fresh += [row[0] for row in rows_of(database, "SELECT content_sha256 FROM outcomes WHERE is_embedded")]
    return Work(
        attempt=attempt,
        path=f"{prefix}.parquet",
        chunks=chunks,
        known=indexed_contents(store, live, run.features) + _write_hashes(store, f"{prefix}-known.npy", fresh, folder),
        withdrawn=_write_hashes(store, f"{prefix}-withdrawn.npy", withdrawn.contents, folder),
    )


def remove_work(store: Store, run: Run) -> None:
    """Removes what a run needed until it was finished."""
    names = [f"{folder}/{name}" for folder in (WORK, OUTCOMES) for name in store.files(f"{run.directory}/{folder}")]
    store.delete([*begun_paths(store, run.directory), *(f"{run.directory}/{name}" for name in names)])


def indexed_contents(store: Store, live: Snapshot | None, features: Features) -> list[str]:
    """Returns the files of contents that the live snapshot holds, as this run would embed them."""
    segments = [read_segment(store, reference) for reference in live.segments] if live else []
    # Photos that were indexed without local features are encoded again to get some.
    return [content_hashes_path(one) for one in segments if one.rows and (features == "none" or one.has_all_features)]


def _embedded(store: Store, runs: Iterable[FinishedRun], features: Features) -> list[bytes]:
    """Returns the contents that runs embedded which are not indexed yet."""
    found: list[bytes] = []
    for one in runs:
        if features in ("none", one.run.features):
            for name in one.run.shards:
                found += _contents_of(store, one.run, name)
    return found


def _contents_of(store: Store, run: Run, name: str) -> list[bytes]:
    try:
        with store.open(f"{run.directory}/{name}") as file:
            return parquet.read_table(file, columns=["content_sha256"])["content_sha256"].to_pylist()
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ArtifactRefusedError(
            f"shard {run.directory}/{name} is damaged ({reason}); leave its run out, and its photos are encoded again: "
            f"`firstseen index --leave-out {run.run_id}`"
        ) from error


def _write_hashes(store: Store, path: str, hashes: list[bytes], folder: Path) -> list[str]:
    if not hashes:
        return []
    local = folder / "hashes.npy"
    np.save(local, np.unique(np.array(hashes, "S32")))
    store.upload(path, local)
    return [path]
