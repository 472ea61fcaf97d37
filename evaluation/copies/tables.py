"""Writes the tables of the page as Markdown: by archive, by kind of edit, by method, costs, verdicts."""

from evaluation.copies.edits import PARTS
from evaluation.copies.measure import NOT_FOUND
from evaluation.copies.result import ArchiveResult, CopiesResult, Detection
from evaluation.page import markdown_table

DETECTION = ["queries", "recall@1", "micro AP", "recall at 90 % precision"]
JUDGED = ["found as a copy", "right verdict", "right date"]
NONE = "–"


def summary_table(result: CopiesResult) -> str:
    """One row for each part of the report in each archive, and false alarms."""
    rows = [
        [f"{archive.photos:,}", name, *_figures(each)]
        for archive in result.archives
        for name, each in {"**all**": archive.copies, **_in_order(archive)}.items()
    ]
    return markdown_table(["photos in the archive", "edits", *DETECTION, *JUDGED], rows, words=2)


def _in_order(archive: ArchiveResult) -> dict[str, Detection]:
    return {part: archive.parts[part] for part in PARTS if part in archive.parts}


def false_alarm_table(result: CopiesResult) -> str:
    """Queries that have no photo to find, and were answered as a copy."""
    rows = [
        [
            f"{one.photos:,}",
            f"{one.negatives:,}",
            f"{one.false_alarms_per_1000:.1f}",
            f"{one.scenes:,}",
            NONE if one.scenes_as_copies is None else f"{one.scenes_as_copies:.1%}",
        ]
        for one in result.archives
    ]
    headings = ["photos in the archive", "negatives", "false alarms per 1,000", "of one scene", "answered as a copy"]
    return markdown_table(headings, rows, words=0)


def kind_table(result: CopiesResult) -> str:
    """One row for each kind of edit, by the report's parts; of a larger archive only what changes with it."""
    small, *larger = result.archives
    beside = [{one.kind: one.detection for one in archive.kinds} for archive in larger]
    rows = [
        [
            one.part,
            one.kind.replace("_", " "),
            ", ".join(one.verdicts),
            *_figures(one.detection),
            *(f"{figure:.3f}" for kinds in beside for figure in _changing(kinds[one.kind])),
        ]
        for one in sorted(small.kinds, key=lambda one: PARTS.index(one.part))
    ]
    there = [f"{name} in {archive.photos:,}" for archive in larger for name in ("recall@1", "micro AP")]
    return markdown_table(["part", "edit", "right verdict is", *DETECTION, *JUDGED, *there], rows, words=3)


def _changing(one: Detection) -> tuple[float, float]:
    return one.recall_at_1, one.micro_average_precision


def method_table(result: CopiesResult) -> str:
    """One row for each method, the product first."""
    rows = [
        [
            one.title,
            *_detection(one.detection),
            NONE if one.false_alarms_per_1000 is None else f"{one.false_alarms_per_1000:.1f}",
            f"{one.query_ms:,.1f}",
            f"{one.photo_bytes:,.0f}",
        ]
        for one in result.methods
    ]
    headings = ["method", *DETECTION, "false alarms per 1,000 there", "ms per query", "bytes per photo"]
    return markdown_table(headings, rows, words=1)


def lookup_table(result: CopiesResult) -> str:
    """What a lookup costs in each archive."""
    rows = [
        [
            f"{one.photos:,}",
            f"{one.costs.open_seconds:.1f}",
            f"{one.costs.batch_ms:,.1f}",
            f"{one.costs.batch_core_ms:,.1f}",
            f"{one.costs.one_ms:,.1f}",
            f"{one.costs.one_slow_ms:,.1f}",
            f"{one.costs.search_bytes:,.0f}",
            f"{one.costs.verification_bytes:,.0f}",
            f"{one.costs.table_bytes:,.0f}",
        ]
        for one in result.archives
    ]
    headings = [
        "photos in the archive",
        "to open, s",
        "in batches, ms",
        "of all cores, ms",
        "alone, ms",
        "slowest tenth, ms",
    ]
    headings += ["bytes for search", "for verification", "for names and dates"]
    return markdown_table(headings, rows, words=0)


def build_table(result: CopiesResult) -> str:
    """What encoding and indexing cost, an archive a row."""
    rows = [
        [
            f"{one.photos:,}",
            f"{one.encode_seconds:,.1f}",
            f"{1_000 * one.encode_core_seconds / max(1, one.photos):,.1f}",
            f"{one.index_seconds:,.1f}",
        ]
        for one in result.build
    ]
    return markdown_table(["photos", "encode, s", "of all cores, ms per photo", "index, s"], rows, words=0)


def confusion_table(archive: ArchiveResult) -> str:
    """Verdicts that are right by row, verdicts that were given by column, right ones in bold."""
    given = {verdict for counts in archive.confusion.values() for verdict in counts} - {NOT_FOUND}
    columns = [*sorted(given), NOT_FOUND]
    rows = [
        [expected, *(_counted(counts.get(column, 0), is_right=column == expected) for column in columns)]
        for expected, counts in archive.confusion.items()
    ]
    return markdown_table(["right: down, given: across", *columns], rows, words=1)


def _counted(count: int, *, is_right: bool) -> str:
    if not count:
        return "·"
    return f"**{count:,}**" if is_right else f"{count:,}"


def _detection(one: Detection) -> list[str]:
    figures = (one.recall_at_1, one.micro_average_precision, one.recall_at_precision_90)
    return [f"{one.queries:,}", *(f"{value:.3f}" for value in figures)]


def _figures(one: Detection) -> list[str]:
    judged = (one.found_as_copy, one.right_verdict, one.right_date)
    return [*_detection(one), *(NONE if value is None else f"{value:.3f}" for value in judged)]
