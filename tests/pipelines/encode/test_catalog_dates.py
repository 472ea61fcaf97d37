"""Dates of a catalog: what cannot be meant is left out and told, and a column in another form is refused."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pytest

from foundation.errors import UsageError
from pipelines.encode.catalog_dates import DateProblem, read_dates

GOOD = "2024-05-31"
DAY = datetime(2024, 5, 31, tzinfo=timezone.utc)


def dates_of(column: list[str | None] | pa.Array) -> tuple[list[datetime | None], list[DateProblem]]:
    """Returns what is read of a column of texts, whose rows are photos p1, p2 …, and its problems."""
    texts = pa.chunked_array([pa.array(column, pa.string()) if isinstance(column, list) else column])
    photo_ids = pa.chunked_array([[f"p{row}" for row in range(1, len(texts) + 1)]])
    times, problems = read_dates(texts, photo_ids, Path("catalog.csv"))
    assert times.type == pa.timestamp("us", "UTC")
    return times.to_pylist(), problems


@pytest.mark.parametrize("text", ["31.5.2024", "2024-13-01", "yesterday", "1717156800"])
def test_a_bad_date_among_many_is_left_out_and_named(text: str) -> None:
    """It costs its own row; who wrote it is told where it stands."""
    dates, (problem,) = dates_of([GOOD, None, text, GOOD])
    assert dates == [DAY, None, None, DAY]
    assert problem == DateProblem("cannot be read", 1, 3, "p3", text)
    told = f"catalog: published_at is left out in 1 of its rows (cannot be read), first '{text}' of 'p3' in row 3"
    assert str(problem) == told


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0001-01-01", "before the first photograph"),
        ("0001-01-01T00:00:00+14:00", "before the first photograph"),
        ("1825-12-31T23:59:59.999999", "before the first photograph"),
        ("1970-01-01", "1970-01-01T00:00:00Z, which is what a missing time becomes"),
        ("2999-01-01", "more than a day in the future"),
        ("9999-12-31T23:59:59-12:00", "more than a day in the future"),
    ],
)
def test_what_cannot_be_meant_is_left_out_whatever_its_share(text: str, why: str) -> None:
    """A column of zeros is a program's word for nothing, and no reason to refuse the rest of the catalog."""
    dates, (problem,) = dates_of([text, GOOD, text, text])
    assert dates == [None, DAY, None, None]
    assert (problem.count, problem.first_row, problem.value) == (3, 1, text)
    assert why in problem.why


def test_each_kind_of_problem_is_told_once() -> None:
    """Four lines at most, whatever the number of rows."""
    tomorrow = (datetime.now(timezone.utc) + timedelta(hours=23)).isoformat()
    dates, problems = dates_of(["1700-01-01", "1970-01-01", "2999-01-01", "soon", tomorrow, "1826-01-01"])
    assert [problem.first_row for problem in problems] == [4, 1, 2, 3]
    assert [date is None for date in dates] == [True] * 4 + [False] * 2


@pytest.mark.parametrize(
    ("good", "bad", "is_refused"),
    [
        (0, 1, True),
        (1, 1, False),
        (1, 2, True),
        (150, 2, True),
        (198, 2, False),
        (10_000, 100, False),
        (9_000, 91, True),
    ],
)
def test_a_column_in_another_form_is_refused(good: int, bad: int, is_refused: bool) -> None:
    """More than one date in a hundred, and more than a single one, or none that can be read."""
    texts = [GOOD] * good + ["5/31/2024"] * bad
    if not is_refused:
        assert dates_of(texts)[1][0].count == bad
        return
    with pytest.raises(
        UsageError, match=f"{bad:,} of {good + bad:,} dates cannot be read: '5/31/2024' in row {good + 1:,}"
    ):
        dates_of(texts)


def test_the_refusal_names_some_rows_and_the_form() -> None:
    """Three are enough to see what is wrong; a long text is cut, and nothing in it reaches the terminal."""
    with pytest.raises(UsageError) as caught:
        dates_of([GOOD, "\x1b[31m" + "x" * 500, "b", "c", "d"])
    line = str(caught.value)
    assert line.startswith(r"catalog catalog.csv, column published_at: 4 of 5 dates cannot be read: '\x1b[31mxxx")
    assert line.endswith("'b' in row 3, 'c' in row 4 …; expected times like 2024-05-31 or 2024-05-31T12:00:00Z")
    assert len(line) < 300


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
@pytest.mark.parametrize("value", [-(2**62), 0, 2**62])
def test_typed_times_are_judged_too(unit: str, value: int) -> None:
    """A Parquet column may hold years that no calendar has, and that microseconds cannot hold."""
    dates, problems = dates_of(pa.array([value, 1_717_200_000_000_000], pa.int64()).cast(pa.timestamp(unit)))
    assert dates[0] is None
    assert sum(problem.count for problem in problems) == dates.count(None)
    assert dates_of(pa.array([-(2**31), 2**31 - 1, 19_874], pa.int32()).cast(pa.date32()))[0] == [None, None, DAY]


@pytest.mark.parametrize("kind", [pa.duration("s"), pa.time64("us")])
def test_a_time_without_a_day_is_refused(kind: pa.DataType) -> None:
    """It names no moment."""
    with pytest.raises(UsageError, match=r"column published_at is of .*; expected times or text"):
        dates_of(pa.array([1], pa.int64()).cast(kind))
