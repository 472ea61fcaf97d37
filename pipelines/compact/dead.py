"""Finds out which contents of a snapshot nobody may find any more, so that a merge may drop them."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from foundation.errors import FirstseenError
from foundation.store.chains import read_runs, waiting_runs
from foundation.store.content_hashes import find_hashes, hash_array
from foundation.store.files import Store
from foundation.store.retractions import withdrawn_contents
from foundation.store.segments import REMOVED_HASHES, Segment
from foundation.store.snapshots import Snapshot
from foundation.store.unfinished import unfinished_runs
from pipelines.compact.plan import MOST_DEAD, SegmentSize
from pipelines.compact.sources import held_anywhere
from serving.search.hidden import without_photos
from serving.search.segment_tables import SegmentTables

# Bytes of one hash in a file of them.
HASH_BYTES = 32


def may_be_dead(store: Store, segments: Sequence[Segment]) -> bool:
    """Whether so much may be dead of any segment that it is worth a look at the tables; reads none of them."""
    removed = [one.files[REMOVED_HASHES].size_bytes for one in segments if REMOVED_HASHES in one.files]
    most = sum(removed) // HASH_BYTES + len(withdrawn_contents(store))
    # What another one holds with local features counts as dead of one without.
    doubled = any(one.has_all_features for one in segments) and any(one.rows and not one.local for one in segments)
    return doubled or any(most > MOST_DEAD * one.rows for one in segments if one.rows)


def dead_contents(store: Store, live: Snapshot, tables: Sequence[SegmentTables]) -> np.ndarray:
    """Returns the contents, S32 ascending, that no photo has and no run brings back, and withdrawn ones."""
    gone = without_photos(tables)
    if len(gone):
        wanted = _wanted_again(store, live, {run_id for one in tables for run_id in one.segment.runs})
        gone = gone[:0] if wanted is None else gone[find_hashes(wanted, gone) < 0]
    return np.union1d(gone, hash_array(withdrawn_contents(store)))


def sizes_of(tables: Sequence[SegmentTables], dead: np.ndarray) -> list[SegmentSize]:
    """Returns what planning has to know of the segments; `dead` are contents, S32 ascending."""
    return [
        size_of(one.segment, dead=int(_is_dead(one, dead, [each for each in tables if each is not one]).sum()))
        for one in tables
    ]


def size_of(segment: Segment, *, dead: int = 0) -> SegmentSize:
    """Returns what planning has to know of a segment."""
    return SegmentSize(
        segment_id=segment.segment_id,
        rows=segment.rows,
        changes=segment.changes,
        dead=dead,
        has_all_features=segment.has_all_features,
    )


def _is_dead(one: SegmentTables, dead: np.ndarray, others: Sequence[SegmentTables]) -> np.ndarray:
    """Returns bool [rows]: contents that go, or that another segment holds with local features and this one without."""
    hashes = np.asarray(one.hashes)
    found = find_hashes(dead, hashes) >= 0
    return found if one.segment.local else found | held_anywhere(others, hashes, with_features=True)


def _wanted_again(store: Store, live: Snapshot, indexed: set[str]) -> np.ndarray | None:
    """Returns the contents, S32 ascending, that photos of runs beside the snapshot have; None where nobody knows them.

    Such a run took a content for known which the snapshot holds, and has no vector of it: when it is indexed, or taken
    up again, the one that is here is needed.
    """
    # An unfinished run says nothing of it until it is finished, and a damaged one says nothing at all.
    runs = read_runs(store, live.encoder_id)
    if unfinished_runs(store, live.encoder_id) or set(runs.damaged) - indexed:
        return None
    left_out = [one for one in runs.finished if one.run.run_id in live.left_out]
    found: list[bytes] = []
    try:
        for run in (one.run for one in [*waiting_runs(runs.finished, live), *left_out] if one.run.changes):
            with store.open(f"{run.directory}/{run.changes_file}") as file:
                table = parquet.read_table(file, columns=["content_sha256", "is_removed"])
            found += table.filter(pc.invert(table["is_removed"]))["content_sha256"].to_pylist()
    except (pa.ArrowException, OSError, FirstseenError):
        return None
    return np.unique(hash_array(found))
