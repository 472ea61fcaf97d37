"""Tells what became of an archive: of its photos when they were encoded, and of the index."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from firstseen.commands import logs, metrics
from firstseen.commands.streams import tell
from foundation.errors import TooManyRejectsError
from foundation.wording import number_of

if TYPE_CHECKING:
    from firstseen.commands.progress import ProgressLine
    from pipelines.compact.job import CompactResult
    from pipelines.encode.job import EncodeResult
    from pipelines.encode.listeners import Listeners
    from pipelines.index.job import IndexResult


def listeners_of(progress: "ProgressLine") -> "Listeners":
    """Returns what shows how far an encode is, and names its run in every line of a log from then on."""
    from pipelines.encode.listeners import Listeners

    return Listeners(progress.show_listed, lambda run: logs.bind(run_id=run.run_id), progress.show)


def report_indexed(result: "IndexResult") -> None:
    """Tells what an index job built, and what is live now."""
    for run_id, problem in result.damaged.items():
        tell(f"run {run_id} is passed over, it cannot be read: {problem}")
    for segment in result.added:
        measured = f", recall@10 {segment.recall_at_10:.3f}" if segment.kind == "scann" else ""
        contents = number_of(segment.rows, "content", "contents")
        changes = f", changes of {segment.changes:,} others" if segment.changes else ""
        tell(
            f"segment {segment.segment_id}: {contents}{changes}, {segment.kind} search{measured}",
            segment_id=segment.segment_id,
            rows=segment.rows,
            recall_at_10=segment.recall_at_10,
        )
    if result.replaced:
        old = result.replaced
        tell(f"they replace snapshot {old.number}: {number_of(old.photos, 'photo', 'photos')} of {old.encoder_id}")
    if not result.is_new:
        readable = " that can be read" if result.damaged else ""
        tell(f"nothing to index: the live snapshot holds every run of its encoder{readable}")
        if result.snapshot.left_out:
            tell(f"left out, and taken up with --take-up alone: {', '.join(result.snapshot.left_out)}")
    live = result.snapshot
    photos = number_of(live.photos, "photo", "photos")
    tell(f"snapshot {live.number} is live: {photos}", snapshot=live.number, photos=live.photos)


def report_compacted(result: "CompactResult | None", *, problem: str | None = None) -> None:
    """Tells what a compaction merged, if anything, or why it could not."""
    if problem:
        tell(f"warning: segments were not merged, and the next reindex tries again: {problem}", level="warning")
    if result and result.merged:
        merged, made = number_of(len(result.merged), "segment", "segments"), len(result.made)
        dropped = number_of(result.dropped, "content", "contents")
        tell(
            f"{merged} became {made:,}, without {dropped} that nobody could find; "
            f"snapshot {result.snapshot.number} is live",
            merged=len(result.merged),
            made=made,
            dropped=result.dropped,
            snapshot=result.snapshot.number,
        )


def report_encoded(result: "EncodeResult", *, store: str) -> None:
    """Tells what became of every photo."""
    from foundation.store.reject_examples import REJECTS

    run, counts = result.run, result.accounting
    known = f"renamed {counts.renamed:,} + unchanged {counts.unchanged:,}"
    metrics.count(counts)
    tell(
        f"run {run.run_id} of encoder {run.encoder_id}: listed {counts.listed:,} = embedded {counts.embedded:,} + "
        f"exact duplicates {counts.duplicates:,} + {known} + rejected {counts.rejects:,}",
        encoder_id=run.encoder_id,
        **asdict(counts),
    )
    for problem in result.date_problems:
        tell(f"  {problem}")
    for why, count in sorted(result.left_out.items()):
        tell(f"  left out, {why}: {count:,}")
    if not result.is_new:
        tell("  nothing has changed since that run, and nothing was written")
    if counts.updated or counts.removed:
        tell(f"  dates or words changed: {counts.updated:,}; removed: {counts.removed:,}")
    if run.photos_in_catalog is not None:
        tell(f"  the catalog names {run.photos_in_catalog:,} of them")
    for reason, count in sorted(counts.rejected.items(), key=lambda item: -item[1]):
        tell(f"  rejected {reason}: {count:,}", reason=reason, count=count)
    if counts.rejects and (names := [name for name in run.files if name.startswith(REJECTS)]):
        tell(f"  which, and why: {store.rstrip('/')}/{run.directory}/{names[-1]}")


def require_few_rejects(result: "EncodeResult", most: float) -> None:
    """Raises TooManyRejectsError if a greater share of the photos was rejected; those withdrawn on purpose are none."""
    counts = result.accounting
    rejects = counts.rejects - counts.rejected.get("retracted", 0)
    if rejects > most * counts.listed:
        raise TooManyRejectsError(
            f"{rejects / counts.listed:.1%} of the photos were rejected, expected at most {most:.1%}; "
            "the rest is usable"
        )
