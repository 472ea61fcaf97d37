"""Reads the dates of a catalog; those that cannot be meant are left out and told, never taken for first seen."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from foundation.date_columns import UNREADABLE, implausible, is_of_another_form, read_times
from foundation.errors import UsageError

SHOWN = 3
SHOWN_CHARACTERS = 60


@dataclass(frozen=True)
class DateProblem:
    """Dates that were left out for one reason: how many, and the first; rows are counted from 1 below the header."""

    why: str
    count: int
    first_row: int
    photo_id: str
    value: str

    def __str__(self) -> str:
        """Returns one line for whoever wrote the catalog."""
        first = f"{self.value!r} of {self.photo_id!r} in row {self.first_row:,}"
        return f"catalog: published_at is left out in {self.count:,} of its rows ({self.why}), first {first}"


def read_dates(
    column: pa.ChunkedArray, photo_ids: pa.ChunkedArray, path: Path
) -> tuple[pa.ChunkedArray, list[DateProblem]]:
    """Returns timestamps in UTC microseconds, null where there is no date or a bad one, and what was bad.

    `column` holds texts or times, see `read_times`. Raises UsageError naming the first bad rows if so many dates cannot
    be read that the column must be in another form.
    """
    try:
        times = read_times(column)
    except pa.ArrowException as error:
        raise UsageError(f"catalog {path}, column published_at is of {column.type}; expected times or text") from error
    unreadable = pc.and_(pc.is_valid(column), pc.is_null(times))
    _require_readable(unreadable, column, path)
    bad_rows = {UNREADABLE: unreadable, **implausible(times)}
    for bad in bad_rows.values():
        times = pc.if_else(bad, pa.scalar(None, times.type), times)
    problems = [_problem(why, bad, column, photo_ids) for why, bad in bad_rows.items() if pc.any(bad).as_py()]
    return times, problems


def _require_readable(unreadable: pa.ChunkedArray, column: pa.ChunkedArray, path: Path) -> None:
    count, dated = pc.sum(unreadable).as_py() or 0, len(column) - column.null_count
    if not is_of_another_form(count, dated):
        return
    rows = pc.indices_nonzero(unreadable)[:SHOWN].to_pylist()
    shown = ", ".join(f"{_text_at(column, row)!r} in row {row + 1:,}" for row in rows)
    raise UsageError(
        f"catalog {path}, column published_at: {count:,} of {dated:,} dates cannot be read: {shown}"
        f"{' …' if count > SHOWN else ''}; expected times like 2024-05-31 or 2024-05-31T12:00:00Z"
    )


def _problem(why: str, bad: pa.ChunkedArray, column: pa.ChunkedArray, photo_ids: pa.ChunkedArray) -> DateProblem:
    row = pc.index(bad, True).as_py()
    return DateProblem(why, pc.sum(bad).as_py(), row + 1, photo_ids[row].as_py(), _text_at(column, row))


def _text_at(column: pa.ChunkedArray, row: int) -> str:
    return column.slice(row, 1).cast(pa.string())[0].as_py()[:SHOWN_CHARACTERS]
