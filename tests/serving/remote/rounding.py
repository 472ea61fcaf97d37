"""Rounds answers as the JSON of a server does, to compare them with those of a store."""

from dataclasses import fields, replace
from typing import Any

from serving.answers import Answer


def rounded(answer: Answer) -> Answer:
    """Returns an answer as it reads after a passage through JSON: floats have six decimals there."""

    def passed(value: Any) -> Any:
        return round(value, 6) if isinstance(value, float) else value

    return replace(answer, **{one.name: passed(getattr(answer, one.name)) for one in fields(answer)})
