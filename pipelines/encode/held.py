"""Tells which contents have a vector already, in a live segment or in a run that waits, and which have lost theirs."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError
from foundation.store.chains import FinishedRun
from foundation.store.content_hashes import hash_array, in_any, local_hashes, mapped_hashes
from foundation.store.files import Store
from foundation.store.runs import Features, Run
from foundation.store.segments import content_hashes_path, read_segment, whole_hash
from foundation.store.snapshots import Snapshot


@dataclass(frozen=True)
class Waiting:
    """A run that is not indexed yet, and the contents that its shards hold, S32 [rows] for each shard."""

    run: Run
    contents: list[np.ndarray]


def read_waiting(store: Store, runs: Iterable[FinishedRun]) -> list[Waiting]:
    """Returns what the shards of some runs hold; raises ArtifactRefusedError for one that is damaged."""
    # Millions of photos may wait: as objects of Python their hashes would take twice the memory, or more.
    return [
        Waiting(one.run, [contents_of(store, f"{one.run.directory}/{name}") for name in one.run.shards]) for one in runs
    ]


def embedded_contents(waiting: Iterable[Waiting], features: Features) -> list[np.ndarray]:
    """Returns the contents, S32, that runs which are not indexed yet hold, as a run with these features embeds them."""
    return [contents for one in waiting if features in ("none", one.run.features) for contents in one.contents]


def indexed_contents(store: Store, live: Snapshot | None, features: Features) -> list[str]:
    """Returns the files of contents that the live snapshot holds, as a run with these features embeds them."""
    segments = [read_segment(store, reference) for reference in live.segments] if live else []
    # Photos that were indexed without local features are encoded again to get some.
    return [content_hashes_path(one) for one in segments if one.rows and (features == "none" or one.has_all_features)]


def lost_contents(
    store: Store, inventory: Sequence[Path], live: Snapshot | None, waiting: Iterable[Waiting]
) -> list[bytes]:
    """Returns the contents (32 bytes each) that an inventory names and nothing holds any more, ascending.

    So it is when a retraction is taken back after a compaction has dropped what it withdrew, and when a run was left
    out after others had relied on its vectors.
    """
    lost = [hash_array([])]
    with ExitStack() as opened:
        files = opened.enter_context(local_hashes(store, indexed_contents(store, live, "none")))
        held = [*mapped_hashes(files), sorted_hashes(embedded_contents(waiting, "none"))]
        for path in inventory:
            for batch in opened.enter_context(parquet.ParquetFile(path)).iter_batches(columns=["content_sha256"]):
                # Neighbours among the sorted hashes are searched for one after the other: the pages are in memory.
                named = np.unique(hash_array(batch.column(0).drop_null().to_pylist()))
                lost.append(named[~in_any(held, named)])
    return [whole_hash(content) for content in np.unique(np.concatenate(lost)).tolist()]


def sorted_hashes(parts: Iterable[np.ndarray]) -> np.ndarray:
    """Returns the hashes of all parts, S32, ascending and each once."""
    return np.unique(np.concatenate([hash_array([]), *parts]))


def contents_of(store: Store, shard: str) -> np.ndarray:
    """Returns the contents of a shard, S32, by its path; raises ArtifactRefusedError if it is damaged."""
    try:
        with store.open(shard) as file:
            return hash_array(parquet.read_table(file, columns=["content_sha256"])["content_sha256"].to_pylist())
    except (pa.ArrowException, OSError) as error:
        reason, run_id = str(error).splitlines()[0], shard.split("/")[-2]
        raise ArtifactRefusedError(
            f"shard {shard} is damaged ({reason}); leave its run out, and its photos are encoded again: "
            f"`firstseen index --leave-out {run_id}`"
        ) from error
