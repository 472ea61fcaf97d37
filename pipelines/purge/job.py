"""Purges photos: takes every byte of them out of runs, segments and old snapshots, and proves that none is left.

Each step leaves the store whole, and is done again by the next purge if it was cut off.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from foundation.errors import ArtifactRefusedError, TemporaryError, UsageError
from foundation.store.files import Store
from foundation.store.retractions import RetractedPhoto, contents_of, retracted_photos
from foundation.store.snapshots import Snapshot, live_snapshot
from pipelines.purge.earlier import with_earlier
from pipelines.purge.leftovers import remove_lookups, remove_uploads
from pipelines.purge.proof import find_traces
from pipelines.purge.purge_lists import purge_lists, undescribed_watched
from pipelines.purge.purge_runs import RunsPurged, purge_runs
from pipelines.purge.purge_segments import marked_segments, remove_old, replace_segments


@dataclass(frozen=True)
class PurgeResult:
    """What a purge did: contents that went, runs' files, segments and snapshots; and how many files its proof read."""

    contents: int
    runs: RunsPurged
    segments: int
    snapshots: list[int]
    snapshot: Snapshot | None
    files_read: int


def purge(store: Store, photos: Sequence[RetractedPhoto]) -> PurgeResult:
    """Takes out photos that are retracted, and their contents under whatever name.

    Raises UsageError for one that is not retracted, TemporaryError if a lookup may be at work, an encode at work has
    met it, or a trace is left that somebody wrote meanwhile; ArtifactRefusedError for damage, and for what nobody can
    tell the content of; PublishRaceLostError if another publisher was faster.
    """
    if missing := set(photos) - retracted_photos(store):
        raise UsageError(f"photo {next(iter(missing)).photo_id} is not retracted; expected it on the list first")
    live = live_snapshot(store)
    if live and live.segments and not live.archives:
        raise UsageError(
            f"snapshot {live.number} is of an older version; expected one that names archives: `firstseen index "
            f"--store {store.uri}` builds it anew"
        )
    purged = with_earlier(
        store,
        frozenset((one.archive, one.photo_id) for one in photos),
        frozenset(contents_of(photos)),
    )
    remove_lookups(store)
    remove_uploads(store)
    # Before the runs, which say where the photos lay: a purge that is cut off in between still knows.
    purge_lists(store, purged)
    runs = purge_runs(store, purged)
    marked = marked_segments(store, purged)
    if live and marked & {one.segment_id for one in live.segments}:
        live = replace_segments(store, live, marked, purged)
    snapshots = remove_old(store, marked, live)
    read, traces = find_traces(store, purged)
    if traces:
        raise TemporaryError(
            f"{len(traces)} files still have a trace, {traces[0]} first; expected none: run again when no other "
            "job is at work, and remove what is no part of the store"
        )
    if unknown := undescribed_watched(store):
        raise ArtifactRefusedError(
            f"watched/{unknown[0]} has no description that can be read: nobody can tell whether it is of a purged "
            f"photo; unless `firstseen watch add` is at work, `firstseen watch remove {unknown[0]}`, then run again"
        )
    return PurgeResult(len(purged.contents), runs, len(marked), snapshots, live, read)
