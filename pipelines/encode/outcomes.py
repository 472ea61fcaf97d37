"""Writes down that a chunk is done and what became of its photos: one file, created once, which a job goes on from."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError
from foundation.store.artifact import FileRecord
from foundation.store.files import Store
from foundation.store.run_tables import inventory_schema
from pipelines.encode.write_shards import WrittenFile, to_parquet
from pipelines.runners.progress import Counts

OUTCOMES = "outcomes"
# The key, in the metadata of a file of outcomes, of the shard that the chunk was written to.
SHARD = b"firstseen.shard"
# The key of how many of its photos are usable, and how many were rejected.
COUNTS = b"firstseen.counts"


@dataclass(frozen=True)
class Outcome:
    """What became of one photo that was read: its content, or the reason why it has none.

    `is_embedded` says that the run's shards have its row; otherwise its content is known from elsewhere. `sidecar` is
    what that says of the photo.
    """

    content_sha256: bytes | None
    reason: str | None = None
    detail: str | None = None
    is_embedded: bool = False
    sidecar: dict[str, Any] | None = None


@dataclass(frozen=True)
class FinishedChunk:
    """A chunk that is done: where its outcomes stand, and its shard, if any of its photos was embedded."""

    path: str
    shard: WrittenFile | None


def outcome_schema() -> pa.Schema:
    """Returns the columns of outcomes: those of the inventory, and whether a shard of the run has the photo's row."""
    return pa.schema([*inventory_schema(), pa.field("is_embedded", pa.bool_(), nullable=False)])


def outcomes_directory(run_directory: str) -> str:
    """Returns where a run keeps its outcomes until it is finished."""
    return f"{run_directory}/{OUTCOMES}"


def outcome_paths(store: Store, run_directory: str, *, attempt: str = "") -> list[str]:
    """Returns where the outcomes of a run's chunks stand that are done, by one attempt or by any."""
    directory = outcomes_directory(run_directory)
    return [f"{directory}/{name}" for name in store.files(directory) if name.startswith(attempt)]


def write_outcomes(
    store: Store, path: str, rows: Sequence[dict[str, Any]], outcomes: Sequence[Outcome], shard: WrittenFile | None
) -> bool:
    """Writes what became of the photos of a chunk, `rows` of the work; returns whether nobody did so before."""
    rejected = sum(one.reason is not None for one in outcomes)
    said = {SHARD: asdict(shard) if shard else None, COUNTS: (len(outcomes) - rejected, rejected)}
    schema = outcome_schema().with_metadata({key: json.dumps(value) for key, value in said.items()})
    table = pa.Table.from_pylist(
        [{**row, **asdict(outcome)} for row, outcome in zip(rows, outcomes, strict=True)], schema=schema
    )
    return store.create(path, to_parquet(table))


def read_counts(store: Store, path: str) -> Counts:
    """Returns how many photos of a chunk that is done are usable and rejected; reads the end of the file alone."""
    with store.open(path) as file:
        return Counts(*json.loads((parquet.read_schema(file).metadata or {})[COUNTS]))


def read_finished_chunk(store: Store, path: str) -> FinishedChunk:
    """Returns what a file of outcomes says of its chunk; raises ArtifactRefusedError for damage anywhere in it."""
    try:
        with store.open(path) as file:
            said = json.loads((parquet.read_table(file).schema.metadata or {})[SHARD])
        shard = said and WrittenFile(said["name"], said["rows"], FileRecord(**said["record"]))
    except (pa.ArrowException, KeyError, ValueError, TypeError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ArtifactRefusedError(
            f"{path} is damaged ({reason}); delete it, and its chunk is encoded again"
        ) from error
    return FinishedChunk(path, shard)
