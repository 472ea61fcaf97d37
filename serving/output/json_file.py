"""Writes answers as JSON or JSON Lines, with every value as it is."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import IO, Any

from serving.answers import SCHEMA, Answer


def to_json(answer: Answer) -> dict[str, Any]:
    """Returns an answer as JSON types: times are ISO 8601, absent values null, keys as in the contract."""
    return {name: _json_value(getattr(answer, name)) for name in SCHEMA.names}


def write_json_lines(answers: Iterable[list[Answer]], file: IO[str]) -> None:
    """Writes one JSON object a line."""
    for one_query in answers:
        file.writelines(_dumped(answer) + "\n" for answer in one_query)


def write_json(answers: Iterable[list[Answer]], file: IO[str]) -> None:
    """Writes one JSON array, answer by answer."""
    separator = "["
    for one_query in answers:
        for answer in one_query:
            file.write(separator + "\n" + _dumped(answer))
            separator = ","
    file.write("[]\n" if separator == "[" else "\n]\n")


def _dumped(answer: Answer) -> str:
    return json.dumps(to_json(answer), ensure_ascii=False)


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    # A score is a float32: what follows its sixth decimal is noise.
    return round(value, 6) if isinstance(value, float) else value
