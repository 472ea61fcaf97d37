"""Defines the options that several verbs share."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from foundation.errors import UsageError

Options = TypeVar("Options")


def path(text: str | Path) -> Path:
    """Returns a path of this machine; raises UsageError for the address of a bucket, which would lose a slash."""
    if "://" in str(text):
        raise UsageError(f"{text!r} is an address; expected a path on this machine, and none in a bucket")
    return Path(text)


StoreOption = Annotated[str, typer.Option("--store", help="The store: a local directory, gs://… or s3://…")]
EncoderOption = Annotated[
    str | None, typer.Option("--encoder", help="Encoder id; default: the live snapshot's, or the only one.")
]
ArchiveOption = Annotated[
    str | None,
    typer.Option("--archive", metavar="ARCHIVE", help="The archive of the IDs, where several have them: path or URI."),
]
SnapshotOption = Annotated[int | None, typer.Option("--snapshot", help="Snapshot number; default: the live one.")]
MetricsOption = Annotated[
    Path | None,
    typer.Option(
        "--metrics-file",
        parser=path,
        metavar="FILE.prom",
        help="Write what it came to, as metrics for Prometheus's node_exporter.",
    ),
]
RunnerOption = Annotated[str, typer.Option("--runner", help="local, flink, dataflow, or any Beam runner by name.")]
FlinkMasterOption = Annotated[
    str | None,
    typer.Option(
        "--flink-master", metavar="HOST:PORT", help="The Flink cluster to run on: where its REST API answers."
    ),
]
# Typer hands what follows `--` to the last argument; Beam checks every flag.
BeamFlags = Annotated[list[str] | None, typer.Argument(help="Beam's own flags, after `--`.", metavar="[-- BEAM]")]


def flags_of(beam_flags: list[str] | None, *, runner: str, flink_master: str | None) -> list[str]:
    """Returns the flags for Beam, those of firstseen's own options included; raises UsageError if one does nothing."""
    if flink_master is None:
        return beam_flags or []
    if runner != "flink":
        raise UsageError(f"--flink-master is of no use to --runner {runner}; expected --runner flink with it")
    return [f"--flink_master={flink_master}", *(beam_flags or [])]


def options_of(kind: type[Options], flags: Mapping[str, Any], **others: Any) -> Options:
    """Returns options of this dataclass: of a verb's flags those that it has under the same name, and others."""
    # Verbs that take the same options would otherwise list each of them twice, and one would come to forget some.
    given = {one.name: flags.get(one.name) for one in fields(kind)}  # type: ignore[arg-type]
    kept = {name: tuple(flag) if isinstance(flag, list) else flag for name, flag in given.items() if flag is not None}
    return kind(**kept | others)
