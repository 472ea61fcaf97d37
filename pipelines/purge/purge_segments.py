"""Takes purged photos out of segments: the live ones are merged without them, others go with their snapshots."""

import uuid
from contextlib import ExitStack
from dataclasses import replace

import pyarrow.compute as pc

from foundation.errors import PublishRaceLostError
from foundation.store import artifact
from foundation.store.amendments import Amendments, read_amendments
from foundation.store.files import Store
from foundation.store.runs import read_run
from foundation.store.segments import SEGMENT_DESCRIPTION, SEGMENTS, SegmentReference, remove_segments
from foundation.store.snapshots import (
    ArchiveState,
    Snapshot,
    publish,
    read_contents,
    read_encoder,
    snapshot_numbers,
    snapshot_path,
)
from foundation.store.tables import open_table
from pipelines.compact.job import within_memory
from pipelines.compact.merge_segments import Merging, merge_segments
from pipelines.index.memory import limit_per_worker
from pipelines.index.plan import IndexOptions
from pipelines.purge.file_traces import has_trace
from pipelines.purge.traces import Purged
from pipelines.runners.names import LOCAL
from serving.search.segment_tables import open_tables


def marked_segments(store: Store, purged: Purged) -> set[str]:
    """Returns the ids of all segments of a store that hold or mention what is purged, whoever lists them."""
    return {
        name
        for name in store.directories(SEGMENTS)
        if any(has_trace(store, f"{SEGMENTS}/{name}/{file}", purged, ()) for file in store.files(f"{SEGMENTS}/{name}"))
    }


def replace_segments(store: Store, live: Snapshot, marked: set[str], purged: Purged) -> Snapshot:
    """Builds the marked segments of the live snapshot without what is purged, and publishes it; returns the new one.

    Raises ArtifactRefusedError for damage, PublishRaceLostError if another publisher was faster.
    """
    _, segments = read_contents(store, live)
    spec = read_encoder(store, live)
    # Bytes that have to go go, however well the segments are searched: `compact` builds them anew under another bar.
    options = IndexOptions(memory_limit_bytes=limit_per_worker(None, runner=LOCAL, workers=1), min_recall=0)
    merging = Merging(
        store=store,
        spec=spec,
        encoder_digest=live.encoder_digest,
        options=within_memory(options, spec.dimension),
        dropped=purged.hashes,
        forgotten=purged.photos,
    )
    with ExitStack() as stack:
        tables = [stack.enter_context(open_tables(store, one)) for one in segments]
        # What an error leaves behind has no trace of the photo, and goes with the next gc.
        instead = {
            one.segment.segment_id: list(merge_segments(merging, [one], [each for each in tables if each is not one]))
            for one in tables
            if one.segment.segment_id in marked
        }
    made = [new for one in live.segments for new in instead.get(one.segment_id, [one])]
    snapshot = _next(store, live, made, marked)
    try:
        publish(store, snapshot)
    except PublishRaceLostError:
        remove_segments(store, [new for some in instead.values() for new in some])
        raise
    return snapshot


def remove_old(store: Store, marked: set[str], live: Snapshot | None) -> list[int]:
    """Removes marked segments that are not live any more, after the snapshots that list them; returns those.

    A snapshot that cannot be read may list them too: it is the text of each that is looked at.
    """
    old = marked - {one.segment_id for one in (live.segments if live else ())}
    removed = [number for number in snapshot_numbers(store) if _lists(store, number, old)]
    store.delete([snapshot_path(number) for number in removed])
    for name in old:
        directory = f"{SEGMENTS}/{name}"
        # Without its description a segment is never read.
        files = sorted(store.sizes(directory), key=lambda file: file != SEGMENT_DESCRIPTION)
        store.delete([f"{directory}/{file}" for file in files])
    return removed


def _next(store: Store, live: Snapshot, segments: list[SegmentReference], marked: set[str]) -> Snapshot:
    # The others are removed as soon as this one is live.
    left = [number for number in snapshot_numbers(store) if not _lists(store, number, marked)]
    amendments = read_amendments(store)
    archives = {
        archive: _counted(store, live.encoder_id, state, amendments) for archive, state in live.archives.items()
    }
    return replace(
        live,
        number=snapshot_numbers(store)[-1] + 1,
        parent=max(left, default=None),
        created_at=artifact.now(),
        reason="purge",
        segments=segments,
        archives=archives,
        photos=sum(one.photos for one in archives.values()),
        contents=sum(one.contents for one in archives.values()),
        publisher=uuid.uuid4().hex,
        content_sha256=None,
    )


def _lists(store: Store, number: int, segments: set[str]) -> bool:
    data = store.read(snapshot_path(number))
    return any(name.encode() in data for name in segments)


def _counted(store: Store, encoder_id: str, state: ArchiveState, amendments: Amendments) -> ArchiveState:
    """Returns the state of an archive with the photos that its inventory still has; reads one column, if any went."""
    run, _ = read_run(store, encoder_id, state.run_id, amendments)
    if not amendments.of(encoder_id, state.run_id) or not run.generation:
        return state
    with open_table(store, run.inventory) as file:
        contents = file.read(columns=["content_sha256"])["content_sha256"].drop_null()
    return replace(state, photos=len(contents), contents=pc.count_distinct(contents).as_py())
