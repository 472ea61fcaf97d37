"""Reads a store without changing it: what is live, what waits, and whether every listed byte is still there."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass

from pipelines import embedding_schema, index_manifest
from pipelines.index_manifest import Segment, Snapshot
from training import artifact, encoder_spec
from training.errors import ArtifactRefusedError
from training.store import Store


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
    live = index_manifest.live_snapshot(store)
    segments = [index_manifest.read_segment(store, reference) for reference in live.segments] if live else []
    encoders = encoder_spec.list_encoders(store)
    runs = {encoder_id: embedding_schema.list_runs(store, encoder_id) for encoder_id in encoders}
    indexed = {run_id for segment in segments for run_id in segment.runs}
    return StoreStatus(
        store=store.uri,
        snapshot=live,
        segments=segments,
        snapshot_numbers=index_manifest.snapshot_numbers(store),
        encoders=encoders,
        runs_by_encoder={encoder_id: len(names) for encoder_id, names in runs.items()},
        runs_not_indexed=[
            name
            for encoder_id, names in runs.items()
            if live is None or live.encoder_id == encoder_id
            for name in names
            if name not in indexed and _holds_rows(store, encoder_id, name)
        ],
    )


def _holds_rows(store: Store, encoder_id: str, run_id: str) -> bool:
    run, _ = embedding_schema.read_run(store, encoder_id, run_id)
    return bool(run.rows)


def describe(status: StoreStatus) -> list[str]:
    """Returns the status as lines for a person, the last one naming the next command."""
    lines = [f"store      {status.store}"]
    if status.snapshot:
        live = status.snapshot
        lines += [
            f"snapshot   {live.number} of {live.created_at} ({live.reason}), of {len(status.snapshot_numbers)} in all",
            f"encoder    {live.encoder_id}",
            f"photos     {live.photos:,} in {live.rows:,} contents, counted per segment",
        ]
        lines += [
            f"segment    {one.segment_id}: {one.rows:,} contents, {one.kind} search, recall@10 {one.recall_at_10:.3f}"
            for one in status.segments
        ]
    else:
        lines.append("snapshot   none yet")
    lines += [f"encoder    {name}: {runs} runs" for name, runs in status.runs_by_encoder.items()]
    left_out = " since the rollback" if _was_rolled_back(status) else ""
    lines.append(f"waiting    {len(status.runs_not_indexed)} runs not indexed{left_out}")
    return [*lines, _next_command(status)]


def _was_rolled_back(status: StoreStatus) -> bool:
    return status.snapshot is not None and status.snapshot.reason != "index"


def _next_command(status: StoreStatus) -> str:
    store = shlex.quote(status.store)
    if not status.encoders:
        return f"next: firstseen train --source SOURCE --store {store}"
    # After a rollback, indexing would take up again what it left out: that is for the user to decide.
    if status.runs_not_indexed and not _was_rolled_back(status):
        return f"next: firstseen index --store {store}"
    return f"next: firstseen {'lookup PHOTO' if status.snapshot else 'encode ARCHIVE'} --store {store}"


def verify(
    store: Store, number: int | None = None, *, on_artifact: Callable[[str], None] | None = None
) -> tuple[Snapshot, int]:
    """Checks the digest of every file that a snapshot lists; returns (snapshot, bytes read).

    The chain: the snapshot names its encoder and its segments, a segment its runs, each of them its files. Raises
    ArtifactRefusedError at the first that differs, InputNotFoundError at the first that is missing.
    """
    report = on_artifact or (lambda path: None)
    snapshot = index_manifest.read_snapshot(store, number)
    spec = index_manifest.read_encoder(store, snapshot)
    checked = _verify(store, encoder_spec.directory(spec.encoder_id), spec.files, report)
    segments = [index_manifest.read_segment(store, reference) for reference in snapshot.segments]
    for segment in segments:
        checked += _verify(store, index_manifest.segment_directory(segment.segment_id), segment.files, report)
    runs = {run_id: digest for segment in segments for run_id, digest in segment.runs.items()}
    for run_id, expected in runs.items():
        run, digest = embedding_schema.read_run(store, snapshot.encoder_id, run_id)
        if digest != expected:
            raise ArtifactRefusedError(
                f"run {run_id} has the digest {digest[:12]}…, the snapshot was built from {expected[:12]}…; "
                "restore it from a copy"
            )
        checked += _verify(store, run.directory, run.files, report)
    return snapshot, checked


def _verify(store: Store, path: str, files: dict[str, artifact.FileRecord], report: Callable[[str], None]) -> int:
    report(path)
    return artifact.verify_files(store, path, files)
