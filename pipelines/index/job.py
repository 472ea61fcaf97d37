"""The index job: embedding shards → segments, measured against exact search, then one new snapshot."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import apache_beam as beam

from foundation.errors import ArtifactRefusedError, InputNotFoundError, UsageError
from foundation.store import artifact
from foundation.store.encoders import EncoderSpec, read_spec
from foundation.store.files import Store
from foundation.store.runs import Run, list_encoders_with_runs, list_runs, read_run
from foundation.store.segments import Segment, SegmentReference, read_segment
from foundation.store.snapshots import Snapshot, live_snapshot, publish, read_snapshot
from pipelines.index.build_segment import SegmentPlan, build_segment
from pipelines.index.plan import IndexOptions, list_shards, plan_segments
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
) -> IndexResult:
    """Indexes every run that the live snapshot does not hold yet, and publishes the next snapshot.

    With another encoder than the live snapshot's, all runs of that encoder are indexed and replace it. Raises
    InputNotFoundError without any run, ArtifactRefusedError for damage or recall under the bar, PublishRaceLostError
    if another publisher was faster.
    """
    options = options or IndexOptions()
    pipeline = create_pipeline(runner, beam_flags=list(beam_flags))
    live = live_snapshot(store)
    spec, digest = choose_encoder(store, encoder, live)
    kept = live.segments if live and live.encoder_digest == digest else []
    runs = runs_to_index(store, spec, digest, kept)
    if not runs:
        return _nothing_new(store, spec, live, kept)
    unpublished = next_snapshot(live, spec, digest, kept)
    built = (
        pipeline
        | "ListSegments" >> beam.Create(plan(runs, options))
        | "SpreadSegments" >> beam.Reshuffle()
        | "BuildSegment" >> beam.Map(build_segment, store=store, spec=spec, encoder_digest=digest, options=options)
    )
    _ = (
        pipeline
        | "Finish" >> beam.Create([unpublished])
        | "Publish" >> beam.Map(publish_with, beam.pvalue.AsIter(built), store=store)
    )
    run_to_end(pipeline)
    snapshot = read_snapshot(store, unpublished.number)
    added = [read_segment(store, one) for one in snapshot.segments[len(kept) :]]
    return IndexResult(snapshot, added, replaced=live if live and live.encoder_id != spec.encoder_id else None)


def choose_encoder(store: Store, encoder: str | None, live: Snapshot | None) -> tuple[EncoderSpec, str]:
    """Returns (spec, digest) of the encoder asked for, else of the live snapshot's, else of the only one with runs."""
    if encoder is None and live is not None:
        encoder = live.encoder_id
    if encoder is None:
        known = list_encoders_with_runs(store)
        if not known:
            raise InputNotFoundError(f"store {store.uri} holds no embeddings; `firstseen encode` makes some")
        if len(known) > 1:
            raise UsageError(
                f"store {store.uri} has embeddings of {len(known)} encoders; choose one with --encoder: "
                + ", ".join(known)
            )
        encoder = known[0]
    spec, digest = read_spec(store, encoder)
    if live and live.encoder_id == spec.encoder_id and live.encoder_digest != digest:
        raise ArtifactRefusedError(
            f"encoder {spec.encoder_id} has the digest {digest[:12]}…, snapshot {live.number} was built with "
            f"{live.encoder_digest[:12]}…; restore encoder.json from a copy"
        )
    return spec, digest


def runs_to_index(
    store: Store, spec: EncoderSpec, encoder_digest: str, kept: Sequence[SegmentReference]
) -> list[tuple[Run, str]]:
    """Returns (run, digest) of the finished runs that no kept segment holds, oldest first."""
    indexed = {run_id for reference in kept for run_id in read_segment(store, reference).runs}
    names = [name for name in list_runs(store, spec.encoder_id) if name not in indexed]
    runs = [read_run(store, spec.encoder_id, name) for name in names]
    for run, _ in runs:
        if run.encoder_digest != encoder_digest:
            raise ArtifactRefusedError(
                f"run {run.run_id} was made by the encoder with digest {run.encoder_digest[:12]}…, the store's "
                f"{spec.encoder_id} has {encoder_digest[:12]}…; encode again or restore encoder.json"
            )
    return [(run, digest) for run, digest in runs if run.rows]


def plan(runs: Sequence[tuple[Run, str]], options: IndexOptions) -> list[SegmentPlan]:
    """Returns the segments to build."""
    shards = list_shards([run for run, _ in runs])
    digest_by_directory = {run.directory: (run.run_id, digest) for run, digest in runs}
    return [
        SegmentPlan(
            number=number,
            shards=group,
            runs=dict(sorted({digest_by_directory[shard.path.rsplit("/", 1)[0]] for shard in group})),
        )
        for number, group in enumerate(plan_segments(shards, max_rows=options.max_segment_rows))
    ]


def publish_with(snapshot: Snapshot, built: Iterable[tuple[int, SegmentReference]], *, store: Store) -> None:
    """Publishes the snapshot with the built segments added, in the order of the plan; a retry changes nothing."""
    added = [reference for _, reference in sorted(built, key=lambda numbered: numbered[0])]
    publish(store, replace(snapshot, segments=[*snapshot.segments, *added]))


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
        publisher=uuid.uuid4().hex,
    )


def _nothing_new(
    store: Store, spec: EncoderSpec, live: Snapshot | None, kept: Sequence[SegmentReference]
) -> IndexResult:
    if live is None or not kept:
        raise InputNotFoundError(
            f"store {store.uri} holds no embeddings of {spec.encoder_id}; `firstseen encode` makes some"
        )
    return IndexResult(live)
