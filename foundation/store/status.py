"""Says what a store holds: what is live, what waits to be indexed, and what to type next."""

import shlex
from dataclasses import dataclass

from foundation.store.encoders import list_encoders
from foundation.store.files import Store
from foundation.store.runs import list_runs, read_run
from foundation.store.segments import Segment, read_segment
from foundation.store.snapshots import Snapshot, live_snapshot, snapshot_numbers


@dataclass(frozen=True, kw_only=True)
class StoreStatus:
    """What a store holds; `snapshot` is None before the first publish."""

    store: str
    snapshot: Snapshot | None
    segments: list[Segment]
    snapshot_numbers: list[int]
    encoders: list[str]
    runs_by_encoder: dict[str, int]
    runs_not_indexed: list[str]


def read_status(store: Store) -> StoreStatus:
    """Returns what the store holds, from its descriptions alone: no shard and no vector is read."""
    live = live_snapshot(store)
    segments = [read_segment(store, reference) for reference in live.segments] if live else []
    encoders = list_encoders(store)
    runs = {encoder_id: list_runs(store, encoder_id) for encoder_id in encoders}
    indexed = {run_id for segment in segments for run_id in segment.runs}
    return StoreStatus(
        store=store.uri,
        snapshot=live,
        segments=segments,
        snapshot_numbers=snapshot_numbers(store),
        encoders=encoders,
        runs_by_encoder={encoder_id: len(names) for encoder_id, names in runs.items()},
        # Runs of another encoder than the live one do not wait: to index them is a switch, which `--encoder` asks for.
        runs_not_indexed=[
            name
            for encoder_id, names in runs.items()
            if live is None or live.encoder_id == encoder_id
            for name in names
            if name not in indexed and _holds_rows(store, encoder_id, name)
        ],
    )


def _holds_rows(store: Store, encoder_id: str, run_id: str) -> bool:
    run, _ = read_run(store, encoder_id, run_id)
    return bool(run.rows)


def describe(status: StoreStatus) -> list[str]:
    """Returns the status as lines for a person, the last one naming the next command."""
    lines = [f"store      {status.store}"]
    if status.snapshot:
        live = status.snapshot
        lines += [
            f"snapshot   {live.number} of {live.created_at} ({live.reason}), of {len(status.snapshot_numbers)} in all",
            f"encoder    {live.encoder_id}",
            f"photos     {live.photos:,} in {live.contents:,} contents",
        ]
        lines += [line for one in status.segments for line in _describe_segment(one)]
    else:
        lines.append("snapshot   none yet")
    lines += [f"encoder    {name}: {runs} runs" for name, runs in status.runs_by_encoder.items()]
    left_out = " since the rollback" if _was_rolled_back(status) else ""
    lines.append(f"waiting    {len(status.runs_not_indexed)} runs not indexed{left_out}")
    return [*lines, _next_command(status)]


def _describe_segment(segment: Segment) -> list[str]:
    found = f"{segment.kind} search, recall@10 {segment.recall_at_10:.3f}"
    lines = [f"segment    {segment.segment_id}: {segment.rows:,} contents, {found}"]
    if local := segment.local:
        photos = max(1, local.rows)
        lines.append(
            f"           {local.features:,} local features of {local.rows:,} contents, recall {local.recall:.3f}; "
            f"{segment.local_search_bytes / photos / 1e3:.1f} KB a photo for search and "
            f"{segment.local_verification_bytes / photos / 1e3:.1f} KB for comparing"
        )
    return lines


def _was_rolled_back(status: StoreStatus) -> bool:
    return status.snapshot is not None and status.snapshot.reason != "index"


def _next_command(status: StoreStatus) -> str:
    store = shlex.quote(status.store)
    if not status.encoders:
        return f"next: firstseen encode ARCHIVE --store {store}"
    # After a rollback, indexing would take up again what it left out: that is for the user to decide.
    if status.runs_not_indexed and not _was_rolled_back(status):
        return f"next: firstseen index --store {store}"
    return f"next: firstseen {'lookup PHOTO' if status.snapshot else 'encode ARCHIVE'} --store {store}"
