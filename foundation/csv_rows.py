"""Writes rows as CSV that a spreadsheet opens without running any of it.

A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or the end of a line as a formula, and a formula
can send the sheet to a stranger. Captions, names of files and reasons come from strangers. Text that begins so gets an
apostrophe before it, which a spreadsheet takes as *this is text* (OWASP, *CSV Injection*; CWE-1236). A program that
reads the CSV sees the apostrophe; JSON and Parquet hold every text as it is.
"""

import csv
from collections.abc import Iterable
from typing import IO, Any

# The last four are the full-width forms, which spreadsheets set to Japanese or Chinese take for the first four.
FORMULA_STARTS = tuple("=+-@\t\r\n\0＝＋－＠")


class CsvRows:
    """Writes the header at once, then row by row."""

    def __init__(self, file: IO[str], header: Iterable[str]):
        # Python before 3.13 leaves a carriage return unquoted, and readers then see two lines: all text is quoted.
        self._writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        self._writer.writerow(header)

    def write(self, values: Iterable[Any]) -> None:
        """Writes one row; only text can become a formula, a negative number cannot."""
        self._writer.writerow([_harmless(value) for value in values])


def _harmless(value: Any) -> Any:
    return "'" + value if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
