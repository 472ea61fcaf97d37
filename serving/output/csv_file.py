"""Writes answers as CSV: a header and a row each, safe to open in a spreadsheet."""

from collections.abc import Iterable
from typing import IO

from foundation.csv_rows import CsvRows
from serving.answers import SCHEMA, Answer
from serving.output.json_file import to_json


def write_csv(answers: Iterable[list[Answer]], file: IO[str]) -> None:
    """Writes one row per answer; numbers stay numbers, a text that could be a formula is made text."""
    rows = CsvRows(file, SCHEMA.names)
    for one_query in answers:
        for answer in one_query:
            rows.write(to_json(answer).values())
