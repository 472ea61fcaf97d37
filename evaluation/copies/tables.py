"""Writes the tables of the page as Markdown: by archive, by kind of edit, by method, costs, verdicts."""

from collections.abc import Mapping, Sequence

from evaluation.copies.edits import PARTS
from evaluation.copies.measure import NOT_FOUND
from evaluation.copies.result import ArchiveResult, CopiesResult, Detection
from evaluation.page import markdown_table

NONE = "–"
# Rows of a table name their cells, so that each heading stands beside what is written below it.
Row = Mapping[str, str]


def summary_table(result: CopiesResult) -> str:
    """One row for each part of the report in each archive."""
    rows = [
        {"photos in the archive": f"{archive.photos:,}", "edits": name, **_judged(each)}
        for archive in result.archives
        for name, each in {"**all**": archive.copies, **_in_order(archive)}.items()
    ]
    return _table(rows, words=2)


def _in_order(archive: ArchiveResult) -> dict[str, Detection]:
    return {part: archive.parts[part] for part in PARTS if part in archive.parts}


def false_alarm_table(result: CopiesResult) -> str:
    """What has no photo to find, and was answered as a copy: a row for each kind of it in each archive."""
    rows = [
        {
            "photos in the archive": f"{archive.photos:,}",
            "asked": name,
            "number": f"{one.asked:,}",
            "answered as a copy": f"{one.answered:,}",
            "per 1,000": f"{1_000 * one.answered / one.asked:.1f}",
        }
        for archive in result.archives
        for name, one in archive.false_alarms.items()
    ]
    return _table(rows, words=2)


def kind_table(result: CopiesResult) -> str:
    """One row for each kind of edit, by the report's parts; of a larger archive only what changes with it."""
    small, *larger = result.archives
    beside = [(f"{archive.photos:,}", {one.kind: one.detection for one in archive.kinds}) for archive in larger]
    rows = []
    for one in sorted(small.kinds, key=lambda one: PARTS.index(one.part)):
        named = {
            "part": one.part,
            "edit": one.kind.replace("_", " "),
            "right verdict is": ", ".join(one.verdicts) or NONE,
        }
        there = {
            f"{figure} in {photos}": _detection(kinds[one.kind])[figure]
            for photos, kinds in beside
            for figure in ("recall@1", "micro AP")
        }
        rows.append({**named, **_judged(one.detection), **there})
    return _table(rows, words=3)


def method_table(result: CopiesResult) -> str:
    """One row for each method, the product first."""
    rows = [
        {
            "method": one.title,
            **_detection(one.detection),
            "false alarms per 1,000 there": (
                NONE if one.false_alarms_per_1000 is None else f"{one.false_alarms_per_1000:.1f}"
            ),
            "ms per query": f"{one.query_ms:,.1f}",
            "bytes per photo": f"{one.photo_bytes:,.0f}",
        }
        for one in result.methods
    ]
    return _table(rows, words=1)


def lookup_table(result: CopiesResult) -> str:
    """What a lookup costs in each archive."""
    rows = [
        {
            "photos in the archive": f"{one.photos:,}",
            "to open, s": f"{one.costs.open_seconds:.1f}",
            "in batches, ms": f"{one.costs.batch_ms:,.1f}",
            "of all cores, ms": f"{one.costs.batch_core_ms:,.1f}",
            "alone, ms": f"{one.costs.one_ms:,.1f}",
            "slowest tenth, ms": f"{one.costs.one_slow_ms:,.1f}",
            "bytes for search": f"{one.costs.search_bytes:,.0f}",
            "for verification": f"{one.costs.verification_bytes:,.0f}",
            "for names and dates": f"{one.costs.table_bytes:,.0f}",
        }
        for one in result.archives
    ]
    return _table(rows, words=0)


def stage_table(archive: ArchiveResult) -> str:
    """What each stage of a lookup takes of all cores, in the order of the stages."""
    rows = [
        {
            "stage": one.stage,
            "queries": f"{one.queries:,}",
            "median, ms": f"{one.median_ms:.1f}",
            "mean, ms": f"{one.mean_ms:.1f}",
        }
        for one in archive.costs.stages
    ]
    return _table(rows, words=1)


def build_table(result: CopiesResult) -> str:
    """What encoding and indexing cost, an archive a row."""
    rows = [
        {
            "photos": f"{one.photos:,}",
            "encode, s": f"{one.encode_seconds:,.1f}",
            "of all cores, ms per photo": f"{1_000 * one.encode_core_seconds / max(1, one.photos):,.1f}",
            "index, s": f"{one.index_seconds:,.1f}",
        }
        for one in result.build
    ]
    return _table(rows, words=0)


def confusion_table(archive: ArchiveResult) -> str:
    """Verdicts that are right by row, verdicts that were given by column, right ones in bold."""
    given = {verdict for counts in archive.confusion.values() for verdict in counts} - {NOT_FOUND}
    rows = [
        {
            "right: down, given: across": expected,
            **{one: _counted(counts.get(one, 0), is_right=one == expected) for one in (*sorted(given), NOT_FOUND)},
        }
        for expected, counts in archive.confusion.items()
    ]
    return _table(rows, words=1)


def _counted(count: int, *, is_right: bool) -> str:
    if not count:
        return "·"
    return f"**{count:,}**" if is_right else f"{count:,}"


def _detection(one: Detection) -> Row:
    return {
        "queries": f"{one.queries:,}",
        "recall@1": f"{one.recall_at_1:.3f}",
        "micro AP": f"{one.micro_average_precision:.3f}",
        "recall at 90 % precision": f"{one.recall_at_precision_90:.3f}",
    }


def _judged(one: Detection) -> Row:
    """Returns the cells of what only the product gives, too: probabilities, verdicts and dates."""
    judged = {
        "found as a copy": one.found_as_copy,
        "right verdict": one.right_verdict,
        "right date": one.right_date,
    }
    return {**_detection(one), **{name: NONE if value is None else f"{value:.3f}" for name, value in judged.items()}}


def _table(rows: Sequence[Row], *, words: int) -> str:
    """Returns a table of rows with the same headings, of which the first `words` stand above words."""
    return markdown_table(list(rows[0]), [list(row.values()) for row in rows], words=words)
