"""Keeps a store small: compact, gc."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from firstseen.commands.archive_options import (
    ExactBelowOption,
    MaxSegmentRowsOption,
    MemoryLimitOption,
    MinRecallOption,
    TargetRecallOption,
)
from firstseen.commands.archive_reports import report_compacted
from firstseen.commands.options import StoreOption
from firstseen.commands.streams import tell
from foundation.wording import number_of

if TYPE_CHECKING:
    from foundation.store.gc_plan import Removal


def compact(
    store: StoreOption,
    everything: Annotated[
        bool, typer.Option("--all", help="Merge all segments, and not those alone that are due.")
    ] = False,
    min_recall: MinRecallOption = 0.95,
    target_recall: TargetRecallOption = None,
    exact_below: ExactBelowOption = 20_000,
    max_segment_rows: MaxSegmentRowsOption = 1_000_000,
    memory_limit: MemoryLimitOption = None,
) -> None:
    """Merge small segments, drop what nobody may find any more, and publish a snapshot with the same answers."""
    from foundation.store.files import Store
    from pipelines.compact.job import compact_all, compact_due
    from pipelines.index.memory import limit_per_worker
    from pipelines.index.plan import IndexOptions
    from pipelines.runners.names import LOCAL

    options = IndexOptions(
        max_segment_rows=max_segment_rows,
        memory_limit_bytes=limit_per_worker(memory_limit, runner=LOCAL, workers=1),
        exact_below=exact_below,
        min_recall=min_recall,
        target_recall=target_recall,
    )
    result = (compact_all if everything else compact_due)(Store(store), options=options)
    if not result.merged:
        tell(f"nothing is due: snapshot {result.snapshot.number} stays live", snapshot=result.snapshot.number)
        return
    for one in result.made:
        measured = f", recall@10 {one.recall_at_10:.3f}" if one.kind == "scann" else ""
        contents = number_of(one.rows, "content", "contents")
        tell(f"segment {one.segment_id}: {contents}, {one.kind} search{measured}", rows=one.rows)
    report_compacted(result)
    tell(f"next: firstseen gc --store {shlex.quote(store)}, which removes what older snapshots alone name")


def gc(
    store: StoreOption,
    keep: Annotated[int, typer.Option(help="Newest snapshots that stay, with all that they name.")] = 5,
    grace: Annotated[
        float, typer.Option(metavar="HOURS", help="Leave alone where a file was written in the last hours.")
    ] = 24,
    drop_encoder: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Remove this encoder and its runs, too.")
    ] = None,
    drop_left_out: Annotated[
        bool, typer.Option("--drop-left-out", help="Remove runs that a rollback or --leave-out left out, too.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would go, and remove nothing.")] = False,
) -> None:
    """Remove what no kept snapshot names and nothing waits for, but nothing that a running job writes."""
    from foundation.store.files import Store
    from foundation.store.gc import GcOptions, collect_garbage

    options = GcOptions(
        keep=keep,
        grace_hours=grace,
        drop_encoders=tuple(drop_encoder or ()),
        drop_left_out=drop_left_out,
        dry_run=dry_run,
    )
    verb = "would remove" if dry_run else "removed"
    result = collect_garbage(Store(store), options, on_removed=lambda removal: _print(removal, verb))
    files = number_of(sum(len(one.files) for one in result.removals), "file", "files")
    kept = f"kept {result.kept_bytes:,} bytes{_snapshots(result.snapshots)}"
    typer.echo(f"{verb} {files}, {result.removed_bytes:,} bytes; {kept}")
    if len(result.snapshots) > keep:
        tell(f"more than {keep} stay, since they were live in the last {grace:g} hours: see --grace")
    for encoder_id, size_bytes in result.unused_encoders.items():
        tell(
            f"no kept snapshot is of encoder {encoder_id}, which has {size_bytes:,} bytes with its runs; "
            f"--drop-encoder {encoder_id} removes them",
            encoder=encoder_id,
            size_bytes=size_bytes,
        )
    if dry_run and result.removals:
        tell("next: the same without --dry-run")


def _print(removal: "Removal", verb: str) -> None:
    files = number_of(len(removal.files), "file", "files")
    typer.echo(f"{verb} {removal.what} {removal.path}: {files}, {removal.size_bytes:,} bytes")


def _snapshots(numbers: list[int]) -> str:
    if not numbers:
        return ""
    return f", snapshot {numbers[0]}" if len(numbers) == 1 else f", snapshots {numbers[0]} to {numbers[-1]}"
