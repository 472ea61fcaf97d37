"""Compacts the live snapshot: small segments are merged, and what nobody may find any more is left behind.

The answers stay the same. A merge takes its rows from the segments themselves: it costs what it merges, and works when
shards are gone. It runs on the machine of the launcher: a night has one merge or two, and their local features are
copied from file to file.
"""

import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain

from foundation.errors import PublishRaceLostError
from foundation.store import artifact
from foundation.store.encoders import EncoderSpec
from foundation.store.files import Store
from foundation.store.runs import EMBEDDINGS
from foundation.store.segments import Segment, SegmentReference, read_segment, remove_segments
from foundation.store.snapshots import Snapshot, publish, read_contents, read_snapshot
from pipelines.compact.dead import dead_contents, may_be_dead, size_of, sizes_of
from pipelines.compact.merge_segments import Merging, merge_segments
from pipelines.compact.plan import Merge, SegmentSize, plan_all, plan_due
from pipelines.index.memory import most_rows, require_memory
from pipelines.index.plan import IndexOptions
from serving.search.segment_tables import SegmentTables, open_tables

Planner = Callable[..., list[Merge]]


@dataclass(frozen=True)
class CompactResult:
    """The snapshot that is live now; which segments were merged, and what they became.

    Nothing was merged if `merged` is empty. `dropped` is how many contents went that nobody could find.
    """

    snapshot: Snapshot
    merged: list[Segment]
    made: list[Segment]
    dropped: int = 0


def compact_due(store: Store, *, options: IndexOptions | None = None) -> CompactResult:
    """Merges what `plan_due` finds worth it, and publishes the next snapshot; without anything due, reads next to none.

    Raises InputNotFoundError without a snapshot, ArtifactRefusedError for damage, and for recall under the bar,
    PublishRaceLostError if another publisher was faster: the live snapshot stays live, and nothing is left behind.
    """
    live = read_snapshot(store)
    spec, segments = _read(store, live)
    options = within_memory(options or IndexOptions(), spec.dimension)
    if not _plan(plan_due, map(size_of, segments), options) and not may_be_dead(store, segments):
        return CompactResult(live, [], [])
    return _compact(store, live, spec, segments, plan_due, options)


def compact_all(store: Store, *, options: IndexOptions | None = None) -> CompactResult:
    """Merges all segments into as few as can be, and publishes the next snapshot; raises as `compact_due` does."""
    live = read_snapshot(store)
    spec, segments = _read(store, live)
    return _compact(store, live, spec, segments, plan_all, within_memory(options or IndexOptions(), spec.dimension))


def within_memory(options: IndexOptions, dimension: int) -> IndexOptions:
    """Returns the options with as few rows per segment as the memory limit asks for; raises UsageError for none."""
    limit = options.memory_limit_bytes
    if limit is None:
        return options
    require_memory(1, dimension, limit)
    return replace(options, max_segment_rows=min(options.max_segment_rows, most_rows(limit, dimension)))


def _read(store: Store, live: Snapshot) -> tuple[EncoderSpec, list[Segment]]:
    """Returns the encoder and the segments of a snapshot, but none if an older version wrote one of them."""
    # Those do not name the archives of their photos: the next index builds all of them anew.
    spec, segments = read_contents(store, live)
    return spec, segments if all(one.names_archives for one in segments) else []


def _compact(
    store: Store,
    live: Snapshot,
    spec: EncoderSpec,
    segments: Sequence[Segment],
    planner: Planner,
    options: IndexOptions,
) -> CompactResult:
    runs = _run_directories(store, live)
    with ExitStack() as stack:
        tables = [stack.enter_context(open_tables(store, one)) for one in segments]
        dead = dead_contents(store, live, tables)
        sizes = sizes_of(tables, dead)
        merges = _plan(planner, sizes, options)
        if not merges:
            return CompactResult(live, [], [])
        merging = Merging(store=store, spec=spec, encoder_digest=live.encoder_digest, options=options, dropped=dead)
        built = _build(merging, tables, merges)
    snapshot = next_snapshot(live, merges, built)
    made = list(chain.from_iterable(built))
    try:
        if len(dead):
            _require_no_new_run(_run_directories(store, live) - runs)
        publish(store, snapshot)
    except PublishRaceLostError:
        remove_segments(store, made)
        raise
    merged = set(chain.from_iterable(merges))
    return CompactResult(
        snapshot,
        [one for one in segments if one.segment_id in merged],
        [read_segment(store, one) for one in made],
        dropped=sum(one.dead for one in sizes if one.segment_id in merged),
    )


def _plan(planner: Planner, sizes: Iterable[SegmentSize], options: IndexOptions) -> list[Merge]:
    return planner(list(sizes), max_rows=options.max_segment_rows)


def _build(merging: Merging, tables: Sequence[SegmentTables], merges: Sequence[Merge]) -> list[list[SegmentReference]]:
    """Builds the segments of each merge; of what an error strikes nothing is left behind."""
    built: list[list[SegmentReference]] = []
    try:
        for merge in merges:
            merged = [one for one in tables if one.segment.segment_id in merge]
            others = [one for one in tables if one.segment.segment_id not in merge]
            built.append([])
            for reference in merge_segments(merging, merged, others):
                built[-1].append(reference)
    except Exception:
        remove_segments(merging.store, chain.from_iterable(built))
        raise
    return built


def next_snapshot(live: Snapshot, merges: Sequence[Merge], built: Sequence[Sequence[SegmentReference]]) -> Snapshot:
    """Returns the snapshot after the live one, where what each merge built takes the place of its first segment."""
    instead = {merge[0]: made for merge, made in zip(merges, built, strict=True)}
    merged = set(chain.from_iterable(merges))
    segments = [instead.get(one.segment_id, () if one.segment_id in merged else (one,)) for one in live.segments]
    # The parent stays that of the live one: a rollback goes past a compaction, which changed no answer.
    return replace(
        live,
        number=live.number + 1,
        created_at=artifact.now(),
        reason="compact",
        segments=list(chain.from_iterable(segments)),
        publisher=uuid.uuid4().hex,
        content_sha256=None,
    )


def _run_directories(store: Store, live: Snapshot) -> set[str]:
    return set(store.directories(f"{EMBEDDINGS}/{live.encoder_id}"))


def _require_no_new_run(begun: set[str]) -> None:
    """Raises PublishRaceLostError if a run began meanwhile: it may take a content for known that is dropped here."""
    if begun:
        raise PublishRaceLostError(
            f"run {min(begun)} began while contents were dropped that it may need; nothing is lost: run again when it "
            "is finished"
        )
