"""Defines the options of the verbs that take an archive into the store."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from firstseen.commands.options import path

Dtype = Literal["float32", "float16"]
Features = Literal["local", "none"]
Check = Literal["stat", "hash"]
Accelerator = Literal["nvidia-l4", "nvidia-tesla-t4", "nvidia-tesla-a100"]

ArchiveArgument = Annotated[
    str, typer.Argument(help="Photos in folders, tar, Parquet or TFRecord; an inventory; s3://, gs:// or tfds:NAME.")
]
CatalogOption = Annotated[
    Path | None,
    typer.Option(
        "--catalog",
        parser=path,
        metavar="FILE",
        help="CSV or Parquet: photo_id, published_at, caption, credit, source.",
    ),
]
IncludeOption = Annotated[
    list[str] | None, typer.Option("--include", metavar="PATTERN", help="Take these photos alone, such as '*.jpg'.")
]
ExcludeOption = Annotated[
    list[str] | None, typer.Option("--exclude", metavar="PATTERN", help="Leave these out; a folder's name is one, too.")
]
DataDirOption = Annotated[
    Path | None, typer.Option("--data-dir", parser=path, metavar="DIR", help="Where TensorFlow Datasets are prepared.")
]
WorkersOption = Annotated[int, typer.Option("--workers", help="Processes of the local runner.")]
DtypeOption = Annotated[Dtype, typer.Option("--dtype", help="float32, or float16 for half the size.")]
FeaturesOption = Annotated[
    Features,
    typer.Option("--features", help="local keeps what parts of photos are found by: 44 KB a photo, and time."),
]
BatchSizeOption = Annotated[int, typer.Option("--batch-size", help="Photos per call of the encoder.")]
AcceleratorOption = Annotated[
    Accelerator | None, typer.Option("--accelerator", help="The GPU of each Dataflow worker that embeds.")
]
MaxRejectsOption = Annotated[
    float, typer.Option("--max-rejects", help="Share of rejects above which the exit code is 3.")
]
CheckOption = Annotated[
    Check, typer.Option("--check", help="stat reads photos whose size, time or etag changed; hash reads all of them.")
]
RetryOption = Annotated[
    str | None, typer.Option("--retry-rejects", metavar="RUN", help="Read the photos again that this run rejected.")
]
AllowShrinkOption = Annotated[
    bool, typer.Option("--allow-shrink", help="Let most of an archive, or archives of the live snapshot, go.")
]
RemoveArchiveOption = Annotated[
    bool,
    typer.Option("--remove-archive", help="Take all photos of the archive out, whether it is still there or not."),
]
MinRecallOption = Annotated[float, typer.Option("--min-recall", help="recall@10 under which nothing is published.")]
TargetRecallOption = Annotated[
    float | None,
    typer.Option(
        "--target-recall",
        help="recall@10 that search is tuned to, at the least cost.  [default: 0.95, or --min-recall]",
    ),
]
ExactBelowOption = Annotated[int, typer.Option("--exact-below", help="Rows under which a segment is searched exactly.")]
MaxSegmentRowsOption = Annotated[int, typer.Option("--max-segment-rows", help="Rows per segment, at most.")]
MemoryLimitOption = Annotated[
    str | None,
    typer.Option(
        "--memory-limit",
        metavar="BYTES",
        help="Memory that building segments may take, such as 8GB; more segments are made where one would take more. "
        "Of each worker with another runner than local.  [default: 70 % of what this machine or container has left]",
    ),
]
GateOption = Annotated[
    str | None,
    typer.Option(
        "--gate",
        metavar="LEVELS",
        help="Ask for edits of some photos first, and publish only what reaches the levels: NAME=VALUE,… of "
        "recall_at_1, micro_average_precision, recall_at_precision_90 (0 to 1), false_alarms (per 1,000).",
    ),
]
GatePhotosOption = Annotated[int, typer.Option("--gate-photos", help="Photos that --gate asks for.")]
