"""Takes an archive into the store: encode, index, and both at once, reindex."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from firstseen.commands import metrics
from firstseen.commands.archive_options import (
    AcceleratorOption,
    AllowShrinkOption,
    ArchiveArgument,
    BatchSizeOption,
    CatalogOption,
    CheckOption,
    DataDirOption,
    DtypeOption,
    ExactBelowOption,
    ExcludeOption,
    FeaturesOption,
    GateOption,
    GatePhotosOption,
    IncludeOption,
    MaxRejectsOption,
    MaxSegmentRowsOption,
    MemoryLimitOption,
    MinRecallOption,
    RemoveArchiveOption,
    RetryOption,
    TargetRecallOption,
    WorkersOption,
)
from firstseen.commands.archive_reports import (
    listeners_of,
    report_compacted,
    report_encoded,
    report_indexed,
    require_few_rejects,
)
from firstseen.commands.estimate import print_estimate
from firstseen.commands.options import (
    BeamFlags,
    EncoderOption,
    FlinkMasterOption,
    MetricsOption,
    RunnerOption,
    StoreOption,
    flags_of,
    options_of,
)
from firstseen.commands.streams import tell
from firstseen.commands.watch import WatchOutputOption, report_watched
from foundation.checks import require_range
from foundation.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from foundation.store.files import Store
    from foundation.store.snapshots import Snapshot


def encode(
    archive: ArchiveArgument,
    store: StoreOption,
    beam_flags: BeamFlags = None,
    encoder: EncoderOption = None,
    catalog: CatalogOption = None,
    include: IncludeOption = None,
    exclude: ExcludeOption = None,
    data_dir: DataDirOption = None,
    runner: RunnerOption = "local",
    flink_master: FlinkMasterOption = None,
    workers: WorkersOption = 1,
    dtype: DtypeOption = "float32",
    features: FeaturesOption = "local",
    batch_size: BatchSizeOption = 64,
    accelerator: AcceleratorOption = None,
    check: CheckOption = "stat",
    retry_rejects: RetryOption = None,
    allow_shrink: AllowShrinkOption = False,
    remove_archive: RemoveArchiveOption = False,
    max_rejects: MaxRejectsOption = 0.01,
    metrics_file: MetricsOption = None,
) -> None:
    """Encode what is new or changed in an archive into embedding shards."""
    metrics.begin(metrics_file, verb="encode", archive=archive, store=store)
    from firstseen.commands.progress import ProgressLine
    from pipelines.encode.job import encode as encode_archive
    from pipelines.encode.plan import EncodeOptions

    require_range("--max-rejects", max_rejects, 0, 1)
    options = options_of(
        EncodeOptions, locals(), beam_flags=flags_of(beam_flags, runner=runner, flink_master=flink_master)
    )
    with ProgressLine("encoding") as progress:
        result = encode_archive(options, listeners_of(progress))
    report_encoded(result, store=store)
    tell(f"next: firstseen index --store {shlex.quote(store)} --encoder {result.run.encoder_id}")
    require_few_rejects(result, max_rejects)


def index(
    store: StoreOption,
    beam_flags: BeamFlags = None,
    encoder: EncoderOption = None,
    min_recall: MinRecallOption = 0.95,
    target_recall: TargetRecallOption = None,
    exact_below: ExactBelowOption = 20_000,
    max_segment_rows: MaxSegmentRowsOption = 1_000_000,
    memory_limit: MemoryLimitOption = None,
    gate: GateOption = None,
    gate_photos: GatePhotosOption = 200,
    leave_out: Annotated[
        list[str] | None, typer.Option(metavar="RUN", help="Leave this run out, now and later.")
    ] = None,
    take_up: Annotated[
        list[str] | None, typer.Option(metavar="RUN", help="Index a run that a rollback or --leave-out left out.")
    ] = None,
    allow_shrink: AllowShrinkOption = False,
    runner: RunnerOption = "local",
    flink_master: FlinkMasterOption = None,
    workers: WorkersOption = 1,
    watch_output: WatchOutputOption = None,
    metrics_file: MetricsOption = None,
) -> None:
    """Build segments of what is not indexed yet and publish a snapshot."""
    metrics.begin(metrics_file, verb="index", store=store)
    from foundation.store.files import Store
    from pipelines.index.job import build_index
    from pipelines.index.memory import limit_per_worker
    from pipelines.index.plan import IndexOptions

    options = options_of(
        IndexOptions, locals(), memory_limit_bytes=limit_per_worker(memory_limit, runner=runner, workers=workers)
    )
    opened = Store(store)
    result = build_index(
        opened,
        encoder=encoder,
        options=options,
        runner=runner,
        workers=workers,
        beam_flags=flags_of(beam_flags, runner=runner, flink_master=flink_master),
        gate=make_gate(opened, gate, photos=gate_photos) if gate else None,
    )
    report_indexed(result)
    if result.is_new:
        report_watched(opened, watch_output)
    tell(f"next: firstseen lookup PHOTO --store {shlex.quote(store)}")


def reindex(
    archive: ArchiveArgument,
    store: StoreOption,
    beam_flags: BeamFlags = None,
    encoder: EncoderOption = None,
    catalog: CatalogOption = None,
    include: IncludeOption = None,
    exclude: ExcludeOption = None,
    data_dir: DataDirOption = None,
    runner: RunnerOption = "local",
    flink_master: FlinkMasterOption = None,
    workers: WorkersOption = 1,
    dtype: DtypeOption = "float32",
    features: FeaturesOption = "local",
    batch_size: BatchSizeOption = 64,
    accelerator: AcceleratorOption = None,
    check: CheckOption = "stat",
    retry_rejects: RetryOption = None,
    allow_shrink: AllowShrinkOption = False,
    remove_archive: RemoveArchiveOption = False,
    max_rejects: MaxRejectsOption = 0.01,
    min_recall: MinRecallOption = 0.95,
    target_recall: TargetRecallOption = None,
    exact_below: ExactBelowOption = 20_000,
    max_segment_rows: MaxSegmentRowsOption = 1_000_000,
    memory_limit: MemoryLimitOption = None,
    gate: GateOption = None,
    gate_photos: GatePhotosOption = 200,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and what it takes; write nothing.")
    ] = False,
    watch_output: WatchOutputOption = None,
    metrics_file: MetricsOption = None,
) -> None:
    """Bring the index up to date with an archive: encode and index what changed, and publish."""
    if dry_run and metrics_file:
        # It would count as a night that succeeded, and nobody would be told that there was none.
        raise UsageError("--dry-run indexes nothing; expected it without --metrics-file")
    metrics.begin(metrics_file, verb="reindex", archive=archive, store=store)
    from firstseen.commands.progress import ProgressLine
    from foundation.store.files import Store
    from pipelines.encode.plan import EncodeOptions
    from pipelines.index.memory import limit_per_worker
    from pipelines.index.plan import IndexOptions
    from pipelines.reindex.job import reindex as reindex_archive

    require_range("--max-rejects", max_rejects, 0, 1)
    encoding = options_of(
        EncodeOptions, locals(), beam_flags=flags_of(beam_flags, runner=runner, flink_master=flink_master)
    )
    indexing = options_of(
        IndexOptions, locals(), memory_limit_bytes=limit_per_worker(memory_limit, runner=runner, workers=workers)
    )
    if dry_run:
        print_estimate(encoding)
        return
    with ProgressLine("encoding") as progress:
        result = reindex_archive(
            encoding,
            indexing,
            gate=make_gate(Store(store, create=True), gate, photos=gate_photos) if gate else None,
            listeners=listeners_of(progress),
            on_encoded=lambda encoded: report_encoded(encoded, store=store),
        )
    if result.indexed:
        report_indexed(result.indexed)
        report_compacted(result.compacted, problem=result.not_compacted)
        if result.indexed.is_new:
            report_watched(Store(store), watch_output)
        tell(f"next: firstseen lookup PHOTO --store {shlex.quote(store)}")
    else:
        tell(f"nothing is published yet: these archives have to be encoded with {result.encoded.run.encoder_id}, too:")
        for missing in result.missing:
            tell(f"  {missing}")
        tell(
            f"next: firstseen reindex {shlex.quote(result.missing[0])} --store {shlex.quote(store)} "
            f"--encoder {result.encoded.run.encoder_id}"
        )
    require_few_rejects(result.encoded, max_rejects)


def make_gate(store: "Store", levels: str, *, photos: int) -> "Callable[[Snapshot], None]":
    """Returns what judges a snapshot before it is published; raises UsageError for levels that cannot be."""
    from evaluation.copies import gate

    return gate.make_gate(store, gate.parse_levels(levels), photos=photos, tell=tell)
