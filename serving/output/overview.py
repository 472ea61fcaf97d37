"""Sums up many queries: how many came to what, and a row for each, so that nobody has to scroll through all of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from serving.output.view import HEADINGS


def counts_of(views: Sequence[Mapping[str, Any]]) -> str:
    """Returns in words how many queries came to what, each as `view_of` gives it."""
    numbers = {words.lower(): sum(one["status"] == status for one in views) for status, words in HEADINGS.items()}
    return ", ".join(f"{number} {words}" for words, number in numbers.items() if number)


def row_of(view: Mapping[str, Any], picture: str | None = None) -> dict[str, Any]:
    """Returns the row of a query, as `view_of` gives it; `picture` is where a small one is found.

    Of several findings, as of a collage, it tells the one that was seen first, and counts the others.
    """
    findings = view["findings"]
    first = findings[0] if findings else {}
    return {
        "number": view["number"],
        "name": view["name"],
        "status": view["status"],
        "heading": view["heading"],
        "picture": picture,
        "verdict": first.get("verdict", ""),
        "day": first.get("day", ""),
        "score": first.get("score"),
        "others": max(len(findings) - 1, 0),
        "is_contradicted": any(one["contradiction"] for one in findings),
        # A reader may have chosen some of the matches.
        "left": view.get("left", 0),
        "total": view.get("total", 0),
        # Of what was found the verdict says enough, and why nothing was found the heading; a file needs its reason.
        "reason": view["reason"] if view["status"] in ("rejected", "not_matchable") else "",
    }
