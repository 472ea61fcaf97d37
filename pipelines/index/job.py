"""Indexes embeddings: shards → segments, measured against exact search; then the launcher publishes a snapshot."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import apache_beam as beam

from foundation.checks import require_digest
from foundation.errors import ArtifactRefusedError, FirstseenError, InputNotFoundError
from foundation.photos.local_features import FEATURE_RULE
from foundation.store import artifact
from foundation.store.builds import take_build, write_build
from foundation.store.encoder_choice import choose_encoder
from foundation.store.encoders import EncoderSpec
from foundation.store.files import Store
from foundation.store.runs import Run, list_runs, read_run
from foundation.store.segments import Segment, SegmentReference, read_segment, segment_directory, segment_path
from foundation.store.snapshots import Snapshot, live_snapshot, publish
from pipelines.index.build_segment import build_segment
from pipelines.index.plan import IndexOptions, SegmentPlan, plan_segments
from pipelines.runners.local import LOCAL
from pipelines.runners.run import create_pipeline, run_to_end


@dataclass(frozen=True)
class IndexResult:
    """The snapshot that is live now, and what was added to it; `added` is empty if nothing was new.

    `replaced` is the snapshot of another encoder that this one took the place of.
    """

    snapshot: Snapshot
    added: list[Segment] = field(default_factory=list)
    replaced: Snapshot | None = None


def build_index(
    store: Store,
    *,
    encoder: str | None = None,
    options: IndexOptions | None = None,
    runner: str = LOCAL,
    beam_flags: Sequence[str] = (),
    gate: Callable[[Snapshot], None] | None = None,
) -> IndexResult:
    """Indexes every run that the live snapshot does not hold yet, and publishes the next snapshot.

    `gate` gets the snapshot before it is published: what it raises leaves the live one live, and no new segment.

    With another encoder than the live snapshot's, all runs of that encoder are indexed and replace it. Raises
    InputNotFoundError without any run, ArtifactRefusedError for damage or recall under the bar, PublishRaceLostError
    if another publisher was faster.
    """
    options = options or IndexOptions()
    pipeline = create_pipeline(runner, beam_flags=list(beam_flags))
    live = live_snapshot(store)
    spec, digest = choose_encoder(store, encoder, live, with_runs=True)
    # Segments are immutable and name their runs: what is live stays as it is, and only new runs are built. Vectors of
    # two encoders cannot be compared, so that with another one nothing is kept.
    kept = live.segments if live and live.encoder_digest == digest else []
    runs = runs_to_index(store, spec, digest, kept)
    if not runs and live and kept:
        return IndexResult(live)
    if not runs:
        raise InputNotFoundError(
            f"store {store.uri} holds no embeddings of {spec.encoder_id}; `firstseen encode` makes some"
        )
    added = build_segments(pipeline, plan_segments(runs, options), store, spec, digest, options)
    snapshot = next_snapshot(live, spec, digest, [*kept, *added])
    if gate:
        try:
            gate(snapshot)
        except FirstseenError:
            _remove(store, added)
            raise
    publish(store, snapshot)
    return IndexResult(
        snapshot,
        [read_segment(store, one) for one in added],
        replaced=live if live and live.encoder_id != spec.encoder_id else None,
    )


def build_segments(
    pipeline: beam.Pipeline,
    plans: Sequence[SegmentPlan],
    store: Store,
    spec: EncoderSpec,
    digest: str,
    options: IndexOptions,
) -> list[SegmentReference]:
    """Runs the pipeline that builds the planned segments, on as many workers as there are; returns them in order."""
    # A name of this attempt alone: another index of the same store, running now, hands over under another one.
    build_id = artifact.fresh_name()
    built = (
        pipeline
        | "ListSegments" >> beam.Create(plans)
        # Otherwise Create and the build are fused, and one worker builds every segment after the other.
        | "SpreadSegments" >> beam.Reshuffle()
        | "BuildSegment" >> beam.Map(build_segment, store=store, spec=spec, encoder_digest=digest, options=options)
    )
    _ = (
        pipeline
        | "Finish" >> beam.Create([build_id])
        | "WriteBuild" >> beam.Map(_write_build, beam.pvalue.AsIter(built), store=store)
    )
    run_to_end(pipeline)
    return take_build(store, build_id)


def _write_build(build_id: str, built: Iterable[tuple[int, SegmentReference]], *, store: Store) -> None:
    """Hands the segments to the launcher in the order of the plan: a pipeline returns nothing by itself.

    Publishing is the launcher's and no step's: Beam may run a step twice, and a late attempt would publish again.
    """
    write_build(store, build_id, [reference for _, reference in sorted(built, key=lambda numbered: numbered[0])])


def _remove(store: Store, segments: Sequence[SegmentReference]) -> None:
    """Removes segments that no snapshot names, their descriptions first: without one a segment is never read."""
    for reference in segments:
        prefix, files = segment_directory(reference.segment_id), read_segment(store, reference).files
        store.delete([segment_path(reference.segment_id), *(f"{prefix}/{name}" for name in files)])


def runs_to_index(
    store: Store, spec: EncoderSpec, encoder_digest: str, kept: Sequence[SegmentReference]
) -> list[tuple[Run, str]]:
    """Returns (run, digest of its run.json) of the finished runs that no kept segment holds, oldest first.

    Raises ArtifactRefusedError if one of them was made by an encoder of the same id, but of another digest, or
    otherwise than that encoder says, or has local features of another rule than this program's.
    """
    indexed = {run_id for reference in kept for run_id in read_segment(store, reference).runs}
    names = [name for name in list_runs(store, spec.encoder_id) if name not in indexed]
    runs = [read_run(store, spec.encoder_id, name) for name in names]
    for run, _ in runs:
        require_digest(
            f"the encoder of run {run.run_id}",
            run.encoder_digest,
            expected=encoder_digest,
            named_by=f"the store's {spec.encoder_id}",
            remedy="encode again or restore encoder.json",
        )
        made = (run.decode_rule, run.dimension, run.distance)
        if made != (spec.decode_rule, spec.dimension, spec.distance):
            # Photos that were decoded by another rule lie beside those of this one, and nobody would see it.
            raise ArtifactRefusedError(
                f"run {run.run_id} says decode rule {made[0]}, {made[1]} numbers per vector and distance {made[2]}, "
                f"encoder {spec.encoder_id} {spec.decode_rule}, {spec.dimension} and {spec.distance}; encode again"
            )
        if run.feature_rule not in (None, FEATURE_RULE):
            # Queries have theirs made by this program, and would resemble nothing.
            raise ArtifactRefusedError(
                f"run {run.run_id} holds local features made by rule {run.feature_rule}, this program makes them by "
                f"rule {FEATURE_RULE}; use the version of firstseen that encoded it, or encode again"
            )
    # A run whose photos were all rejected has no shard, and would make a segment of no rows.
    return [(run, digest) for run, digest in runs if run.rows]


def next_snapshot(
    live: Snapshot | None, spec: EncoderSpec, digest: str, segments: Sequence[SegmentReference]
) -> Snapshot:
    """Returns the snapshot after the live one."""
    return Snapshot(
        number=live.number + 1 if live else 1,
        parent=live.number if live else None,
        created_at=artifact.now(),
        reason="index",
        encoder_id=spec.encoder_id,
        encoder_digest=digest,
        segments=list(segments),
        # Tells a retry of this publisher from a race that another one has won.
        publisher=uuid.uuid4().hex,
    )
