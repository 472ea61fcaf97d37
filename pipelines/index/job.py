"""Indexes embeddings: shards → segments, measured against exact search; then the launcher publishes a snapshot."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from foundation.checks import require_digest
from foundation.errors import (
    ArtifactRefusedError,
    FirstseenError,
    InputNotFoundError,
    TranslatedOnlyError,
    UsageError,
)
from foundation.photos.local_features import FEATURE_RULE
from foundation.store import artifact
from foundation.store.chains import FinishedRun, RunsOfEncoder, read_runs, waiting_runs
from foundation.store.encoder_choice import choose_encoder
from foundation.store.encoders import EncoderSpec
from foundation.store.files import Store
from foundation.store.retractions import withdrawn_contents
from foundation.store.segments import (
    Segment,
    SegmentReference,
    content_hashes_path,
    read_segment,
    remove_segments,
    require_files,
)
from foundation.store.snapshots import ArchiveState, Snapshot, live_snapshot, publish
from pipelines.index.build_segment import build_segment
from pipelines.index.plan import IndexOptions, Surroundings, list_changes, plan_segments
from pipelines.runners.dataflow import is_translation
from pipelines.runners.failures import typed_error
from pipelines.runners.names import LOCAL, check_runner


@dataclass(frozen=True)
class IndexResult:
    """The snapshot that is live now, and what was added to it; `added` is empty if nothing was new.

    `replaced` is the snapshot of another encoder that this one took the place of, `damaged` says of each run that
    cannot be read why it was passed over.
    """

    snapshot: Snapshot
    added: list[Segment] = field(default_factory=list)
    replaced: Snapshot | None = None
    damaged: dict[str, str] = field(default_factory=dict)
    is_new: bool = True


def build_index(
    store: Store,
    *,
    encoder: str | None = None,
    options: IndexOptions | None = None,
    runner: str = LOCAL,
    workers: int = 1,
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
    check_runner(runner, workers=workers, beam_flags=list(beam_flags))
    live = live_snapshot(store)
    spec, digest = choose_encoder(store, encoder, live, with_runs=True)
    # Vectors of two encoders cannot be compared, so that with another one nothing is kept.
    base = live if live and live.encoder_digest == digest else None
    runs = read_runs(store, spec.encoder_id)
    require_runs(store, {*options.leave_out, *options.take_up}, runs, live)
    left_out = left_out_after(live, options)
    planned = replace(base, left_out=left_out) if base else None
    waiting = waiting_runs(runs.finished, planned, left_out=left_out)
    check_runs(waiting, spec, digest)
    # Without anything to index, what is left out from now on is a snapshot of its own.
    if base and planned == base and not waiting:
        return IndexResult(base, damaged=runs.damaged, is_new=False)
    if not base and not waiting:
        raise InputNotFoundError(
            f"store {store.uri} holds no embeddings of {spec.encoder_id}; `firstseen encode` makes some"
        )
    if live and not base and not options.allow_shrink:
        require_all_archives(live, waiting, spec.encoder_id)
    kept = kept_segments(store, base)
    if base and not kept:
        require_rebuilt(store, base, waiting, left_out)
    if base:
        require_not_live(store, base, kept, options.leave_out)
    added = build_segments(store, waiting, kept, spec, digest, options, runner, list(beam_flags), workers=workers)
    if is_translation(runner, beam_flags):
        raise TranslatedOnlyError("no segment has to be built: there is no job to translate, and nothing was published")
    snapshot = next_snapshot(live, base, spec, digest, [*kept, *added], waiting, options)
    if gate:
        try:
            gate(snapshot)
        except FirstseenError:
            remove_segments(store, added)
            raise
    publish(store, snapshot)
    return IndexResult(
        snapshot,
        [read_segment(store, one) for one in added],
        replaced=live if live and live.encoder_id != spec.encoder_id else None,
        damaged=runs.damaged,
    )


def require_runs(store: Store, named: set[str], runs: RunsOfEncoder, live: Snapshot | None) -> None:
    """Raises InputNotFoundError if an option names a run that there is not."""
    known = {one.run.run_id for one in runs.finished} | set(runs.damaged) | set(live.left_out if live else ())
    if unknown := sorted(named - known):
        raise InputNotFoundError(
            f"store {store.uri} has no run {unknown[0]}; `firstseen status --store {store.uri}` names the last ones"
        )


def left_out_after(live: Snapshot | None, options: IndexOptions) -> list[str]:
    """Returns the runs that are left out from now on: a switch to another encoder, and back, takes none up again."""
    return sorted({*(live.left_out if live else ()), *options.leave_out} - set(options.take_up))


def kept_segments(store: Store, base: Snapshot | None) -> list[SegmentReference]:
    """Returns the segments that stay as they are: they are immutable, and only new runs are built.

    Those of an older version do not name the archives of their photos, and are built anew from their runs. Raises
    ArtifactRefusedError for a segment that lacks a file: it would be published once more.
    """
    if base is None or not base.archives:
        return []
    segments = [read_segment(store, one) for one in base.segments]
    if not all(one.names_archives for one in segments):
        return []
    require_files(store, segments)
    return base.segments


def require_not_live(store: Store, base: Snapshot, kept: Sequence[SegmentReference], leave_out: Sequence[str]) -> None:
    """Raises UsageError for a run to leave out that the kept segments hold: they would answer its photos as before."""
    runs = {run_id for one in kept for run_id in read_segment(store, one).runs}
    if live := sorted(runs.intersection(leave_out)):
        raise UsageError(
            f"run {live[0]} is live in snapshot {base.number}; expected one that waits: go back to a snapshot without "
            "it, which leaves it out, by `firstseen rollback --to NUMBER`"
        )


def require_rebuilt(store: Store, base: Snapshot, waiting: Sequence[FinishedRun], left_out: Sequence[str]) -> None:
    """Raises ArtifactRefusedError if not all runs of the segments of a snapshot are there to build them anew."""
    built = {*left_out, *(one.run.run_id for one in waiting)}
    runs = {run_id for reference in base.segments for run_id in read_segment(store, reference).runs}
    if missing := sorted(runs - built):
        raise ArtifactRefusedError(
            f"the segments of snapshot {base.number} are of an older version and are built anew, but of run "
            f"{missing[0]} run.json is missing or damaged; restore it from a copy, or lose its photos with "
            f"--leave-out {missing[0]}"
        )


def require_all_archives(live: Snapshot, waiting: Sequence[FinishedRun], encoder_id: str) -> None:
    """Raises UsageError if a switch to another encoder would lose an archive that is live."""
    if missing := archives_without(live, waiting):
        raise UsageError(
            f"snapshot {live.number} holds archives that were not encoded with {encoder_id} yet: {', '.join(missing)}; "
            f"encode them with --encoder {encoder_id} first, or lose them with --allow-shrink"
        )


def archives_without(live: Snapshot, runs: Sequence[FinishedRun]) -> list[str]:
    """Returns the archives of a snapshot that none of the runs is of."""
    return sorted(live.archives_with_photos - {one.run.archive for one in runs})


def build_segments(
    store: Store,
    runs: Sequence[FinishedRun],
    kept: Sequence[SegmentReference],
    spec: EncoderSpec,
    digest: str,
    options: IndexOptions,
    runner: str,
    beam_flags: list[str],
    *,
    workers: int,
) -> list[SegmentReference]:
    """Builds the segments of some runs, beside those that are kept; returns those that hold anything."""
    plans = plan_segments(runs, options)
    if not plans:
        return []
    build = partial(
        build_segment,
        store=store,
        spec=spec,
        encoder_digest=digest,
        options=options,
        surroundings=surroundings_of(store, runs, kept),
    )
    # Beam takes seconds to import, and one segment is built in one place anyway.
    if runner == LOCAL and (len(plans) == 1 or workers == 1):
        try:
            return [reference for _, reference in map(build, plans) if reference]
        except Exception as error:
            # A full disk, or too little memory, ends the command as it does with a runner.
            raise typed_error(error) from error
    from pipelines.index.build_segments import build_in_parallel

    return build_in_parallel(
        store,
        plans,
        build,
        memory_limit_bytes=options.memory_limit_bytes,
        runner=runner,
        workers=workers,
        beam_flags=beam_flags,
    )


def surroundings_of(store: Store, runs: Sequence[FinishedRun], kept: Sequence[SegmentReference]) -> Surroundings:
    """Returns what the builds of some runs have to know of each other, and of the segments that are kept."""
    segments = [segment for segment in (read_segment(store, one) for one in kept) if segment.rows]
    return Surroundings(
        changes=list_changes(runs),
        held=[content_hashes_path(one) for one in segments],
        held_with_features=[content_hashes_path(one) for one in segments if one.has_all_features],
        withdrawn=withdrawn_contents(store),
    )


def check_runs(runs: Sequence[FinishedRun], spec: EncoderSpec, encoder_digest: str) -> None:
    """Raises ArtifactRefusedError if a run cannot lie beside the others in an index.

    It was made by an encoder of the same id, but of another digest, or otherwise than that encoder says, or has local
    features of another rule than this program's.
    """
    for run in (one.run for one in runs):
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


def next_snapshot(
    live: Snapshot | None,
    base: Snapshot | None,
    spec: EncoderSpec,
    digest: str,
    segments: Sequence[SegmentReference],
    runs: Sequence[FinishedRun],
    options: IndexOptions,
) -> Snapshot:
    """Returns the snapshot after the live one, built upon `base`: the same, unless its encoder is another."""
    archives = dict(base.archives) if base else {}
    for one in runs:
        counts = one.run.accounting
        archives[one.run.archive] = ArchiveState(
            run_id=one.run.run_id, digest=one.digest, photos=counts.photos, contents=counts.contents
        )
    return Snapshot(
        number=live.number + 1 if live else 1,
        parent=live.number if live else None,
        created_at=artifact.now(),
        reason="index",
        encoder_id=spec.encoder_id,
        encoder_digest=digest,
        segments=list(segments),
        archives=archives,
        left_out=left_out_after(live, options),
        photos=sum(state.photos for state in archives.values()),
        contents=sum(state.contents for state in archives.values()),
        # Tells a retry of this publisher from a race that another one has won.
        publisher=uuid.uuid4().hex,
    )
