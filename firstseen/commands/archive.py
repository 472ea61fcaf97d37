"""Takes an archive into the store: encode, index."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from firstseen.commands.options import BeamFlags, EncoderOption, RunnerOption, StoreOption
from firstseen.commands.streams import number_of, tell
from foundation.checks import require_range
from foundation.errors import TooManyRejectsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from foundation.store.files import Store
    from foundation.store.runs import Run
    from foundation.store.snapshots import Snapshot

Dtype = Literal["float32", "float16"]
Features = Literal["local", "none"]


def encode(
    archive: Annotated[str, typer.Argument(help="A folder of photos, tar or Parquet files, or tfds:NAME.")],
    store: StoreOption,
    beam_flags: BeamFlags = None,
    encoder: EncoderOption = None,
    catalog: Annotated[
        Path | None, typer.Option(help="CSV or Parquet: photo_id, published_at, caption, credit, source.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where TensorFlow Datasets are prepared.")] = None,
    runner: RunnerOption = "local",
    workers: Annotated[int, typer.Option(help="Processes of the local runner.")] = 1,
    dtype: Annotated[Dtype, typer.Option(help="float32, or float16 for half the size.")] = "float32",
    features: Annotated[
        Features, typer.Option(help="local keeps what parts of photos are found by: 40 KB a photo, and time.")
    ] = "local",
    batch_size: Annotated[int, typer.Option(help="Photos per call of the encoder.")] = 64,
    max_rejects: Annotated[float, typer.Option(help="Share of rejects above which the exit code is 3.")] = 0.01,
) -> None:
    """Encode an archive into embedding shards."""
    from firstseen.commands.progress import ProgressLine
    from pipelines.encode.job import encode as encode_archive
    from pipelines.encode.plan import EncodeOptions

    require_range("--max-rejects", max_rejects, 0, 1)
    options = EncodeOptions(
        archive=archive,
        store=store,
        encoder=encoder,
        catalog=catalog,
        data_dir=data_dir,
        runner=runner,
        workers=workers,
        dtype=dtype,
        features=features,
        batch_size=batch_size,
        beam_flags=beam_flags or [],
    )
    with ProgressLine("encoding") as progress:
        run = encode_archive(options, on_progress=progress.show)
    report_run(run, store=store, max_rejects=max_rejects)
    tell(f"next: firstseen index --store {shlex.quote(store)} --encoder {run.encoder_id}")


def index(
    store: StoreOption,
    beam_flags: BeamFlags = None,
    encoder: EncoderOption = None,
    min_recall: Annotated[float, typer.Option(help="recall@10 under which nothing is published.")] = 0.95,
    exact_below: Annotated[int, typer.Option(help="Rows under which a segment is searched exactly.")] = 20_000,
    max_segment_rows: Annotated[int, typer.Option(help="Rows per segment; bounds the memory.")] = 1_000_000,
    gate: Annotated[
        str | None,
        typer.Option(
            metavar="LEVELS",
            help="Ask for edits of some photos first, and publish only what reaches the levels: NAME=VALUE,… of "
            "recall_at_1, micro_average_precision, recall_at_precision_90 (0 to 1), false_alarms (per 1,000).",
        ),
    ] = None,
    gate_photos: Annotated[int, typer.Option(help="Photos that --gate asks for.")] = 200,
    runner: RunnerOption = "local",
) -> None:
    """Build segments of what is not indexed yet and publish a snapshot."""
    from foundation.store.files import Store
    from pipelines.index.job import build_index
    from pipelines.index.plan import IndexOptions

    options = IndexOptions(max_segment_rows=max_segment_rows, exact_below=exact_below, min_recall=min_recall)
    opened = Store(store)
    judge = make_gate(opened, gate, photos=gate_photos) if gate else None
    result = build_index(
        opened, encoder=encoder, options=options, runner=runner, beam_flags=beam_flags or [], gate=judge
    )
    for segment in result.added:
        measured = f", recall@10 {segment.recall_at_10:.3f}" if segment.kind == "scann" else ""
        contents = number_of(segment.rows, "content", "contents")
        tell(f"segment {segment.segment_id}: {contents}, {segment.kind} search{measured}")
    if result.replaced:
        old = result.replaced
        tell(f"they replace snapshot {old.number}: {number_of(old.photos, 'photo', 'photos')} of {old.encoder_id}")
    if not result.added:
        tell("nothing to index: the live snapshot holds every run of its encoder")
    tell(f"snapshot {result.snapshot.number} is live: {number_of(result.snapshot.photos, 'photo', 'photos')}")
    tell(f"next: firstseen lookup PHOTO --store {shlex.quote(store)}")


def make_gate(store: "Store", levels: str, *, photos: int) -> "Callable[[Snapshot], None]":
    """Returns what judges a snapshot before it is published; raises UsageError for levels that cannot be."""
    from evaluation.copies import gate

    return gate.make_gate(store, gate.parse_levels(levels), photos=photos, tell=tell)


def report_run(run: "Run", *, store: str, max_rejects: float) -> None:
    """Tells what became of every photo; raises TooManyRejectsError above the limit."""
    counts = run.accounting
    tell(
        f"run {run.run_id} of encoder {run.encoder_id}: listed {counts.listed:,} = embedded {counts.embedded:,} + "
        f"exact duplicates {counts.duplicates:,} + rejected {counts.rejects:,} + unchanged {counts.unchanged:,}"
    )
    if run.photos_in_catalog is not None:
        tell(f"  the catalog names {run.photos_in_catalog:,} of them")
    for reason, count in sorted(counts.rejected.items(), key=lambda item: -item[1]):
        tell(f"  rejected {reason}: {count:,}")
    if counts.rejects:
        tell(f"  which, and why: {store.rstrip('/')}/{run.directory}/rejects-*.parquet")
    if counts.rejects > max_rejects * counts.listed:
        raise TooManyRejectsError(
            f"{counts.rejects / counts.listed:.1%} of the photos were rejected, expected at most {max_rejects:.1%}; "
            "the rest is usable"
        )
