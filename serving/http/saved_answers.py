"""Writes the answers of a lookup as files that somebody saves from the page: what is chosen of them, in its order."""

import io
from collections.abc import Sequence
from typing import Any

from serving.answers import Answer
from serving.http.lookup_page import Shown
from serving.output.choice import Choice
from serving.output.csv_file import write_csv
from serving.output.json_file import write_json

LEFT_OUT = "left out: its matches are not what was asked for when this file was saved"


def text_of(kind: str, shown: Sequence[Shown], choice: Choice) -> str:
    """Returns a file, `csv` or `json`, with at least one row for each query.

    A spreadsheet has copies alone: sorted by date, what is only similar would be taken for the first.
    """
    file = io.StringIO()
    if kind == "csv":
        file.write("\ufeff")  # by which spreadsheets know UTF-8
        write_csv((_copies(one, choice) for one in shown), file)
    else:
        write_json((one.chosen(choice) or [_without(one, LEFT_OUT)] for one in shown), file)
    return file.getvalue()


def _copies(shown: Shown, choice: Choice) -> list[Answer]:
    """Returns the copies of a query that are chosen, or one row that says why there is none."""
    found = [answer for answer in shown.chosen(choice) if answer.is_copy]
    is_left_out = any(answer.is_copy for answer in shown.answers)
    return found or [_without(shown, LEFT_OUT if is_left_out else shown.answers[0].reason)]


def _without(shown: Shown, reason: str | None) -> Answer:
    first = shown.answers[0]
    said: dict[str, Any] = {name: getattr(first, name) for name in ("query", "status", "snapshot", "encoder")}
    return Answer(**said, reason=reason)
