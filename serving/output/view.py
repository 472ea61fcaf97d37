"""Prepares what every page shows of a query: the finding in words, and its matches with the parts that they share."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from serving.answers import Answer
from serving.match.footprint import Size, inverse
from serving.output.display import printable
from serving.output.pictures import Outline, Shown, joined, outlines_of
from serving.output.reject_words import words_of
from serving.output.wording import CONTRADICTED, NOT_CONTRADICTED, day_words, described, seen_words, sentence

HEADINGS = {
    "found": "Seen before",
    "unproven": "No proof of a copy",
    "no_match": "Not in this archive",
    "not_matchable": "Cannot be matched",
    "rejected": "Not looked up",
}


# Where dates are sorted, it stands for none.
LAST = datetime.max.replace(tzinfo=timezone.utc)


class Framed(NamedTuple):
    """A picture as a browser finds it, and the size in pixels of the whole photo, which transforms speak of."""

    source: str
    size: Size

    def outlined(self, outlines: Sequence[Outline] = ()) -> Shown:
        """Returns what a template takes."""
        return Shown(self.source, self.size.width / self.size.height, outlines)


def _none(*_: object) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What a page shows of a query beside its answers: its picture, and of each match a picture, addresses and `also`.

    `also` tells what of a match is not in its answer.
    `most_copies` and `most_similar` bound what is shown, so that a page stays readable.
    """

    query: Framed | None
    photo: Callable[[Answer], Framed | None]
    decoded: Callable[[Answer, Framed | None], Shown | None] = _none
    evidence: Callable[[Answer], str | None] = _none
    also: Callable[[Answer], str | None] = _none
    is_served: bool = False
    most_copies: int = 1_000
    most_similar: int = 1_000


@cache
def templates() -> Environment:
    """Returns the templates of all pages; whatever strangers wrote is escaped in them."""
    loader = PackageLoader("serving", "web")
    made = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made.globals["asset"] = lambda name: Markup(asset(name))  # noqa: S704 (our own file)
    made.globals["digest"] = lambda name: f"sha256-{b64encode(sha256(asset(name).encode()).digest()).decode()}"
    return made


@cache
def asset(name: str) -> str:
    """Returns the text of a style sheet or script of the pages."""
    return files("serving").joinpath("web", "assets", name).read_text(encoding="utf-8")


def view_of(
    number: int, answers: Sequence[Answer], sight: Sight, *, chosen: Sequence[Answer] | None = None
) -> dict[str, Any]:
    """Returns what the templates take of a query's answers; text of strangers is printable, the template escapes it.

    The finding is told of all answers; of `chosen`, by default all, matches are shown, in their order.
    """
    first = answers[0]
    folder, _, name = first.query.rpartition("/")
    found = [answer for answer in answers if answer.is_copy]
    status = "found" if found else "unproven" if first.status == "matched" else first.status
    listed = answers if chosen is None else chosen
    copies = [answer for answer in listed if answer.is_copy]
    similar = [answer for answer in listed if answer.rank and not answer.is_copy]
    matches = [_match(answer, sight) for answer in copies[: sight.most_copies]]
    parts = joined([part for match in matches for part in match.pop("parts")])
    return {
        "number": number,
        "name": printable(name),
        "folder": printable(folder),
        "status": status,
        "heading": HEADINGS[status],
        **_why(first),
        "findings": list(_findings(found)),
        "picture": sight.query and sight.query.outlined(parts),
        "copies": matches,
        "similar": [_match(answer, sight) for answer in similar[: sight.most_similar]],
        "hidden": max(len(copies) - sight.most_copies, 0) + max(len(similar) - sight.most_similar, 0),
    }


def _why(answer: Answer) -> dict[str, str]:
    """Returns why there is no copy, what to do about it, and, small, what exactly was wrong with the file."""
    reason = answer.reason or ""
    if answer.status in ("rejected", "not_matchable"):
        said, remedy, detail = (sentence(printable(text)) for text in words_of(reason))
        return {"reason": said, "remedy": remedy, "detail": detail}
    word, _, rest = reason.partition(":")
    # The heading says so already.
    said = rest.strip() if word == "not in this archive" else reason
    return {"reason": sentence(printable(said)), "remedy": "", "detail": ""}


def _findings(copies: Sequence[Answer]) -> Iterator[dict[str, Any]]:
    """Yields what was found of each part of a query: a collage's photos have dates of their own."""
    found: dict[Any, Answer] = {}
    for answer in copies:
        first = (answer.first_seen_at, answer.first_seen_uri)
        # Of several copies that one is described which was the first, if it is among them.
        if first not in found or answer.uri == answer.first_seen_uri != found[first].uri:
            found[first] = answer
    for answer in sorted(found.values(), key=lambda one: one.first_seen_at or LAST):
        yield {
            "seen": seen_words(answer.first_seen_at, answer.first_seen_basis),
            "day": _day(answer),
            "verdict": printable(answer.verdict or "").replace("_", " "),
            "score": answer.score,
            "uri": printable(answer.first_seen_uri or ""),
            "description": sentence(printable(described(answer.verdict, answer.description))),
            "contradiction": sentence(CONTRADICTED) if answer.claim == "contradicted" else "",
            "no_contradiction": sentence(NOT_CONTRADICTED) if answer.claim == "not_contradicted" else "",
        }


def _day(answer: Answer) -> str:
    """Returns the date of a finding alone, as a column of dates has it; what is no publication says so."""
    if answer.first_seen_at and answer.first_seen_basis == "published":
        return day_words(answer.first_seen_at)
    return seen_words(answer.first_seen_at, answer.first_seen_basis)


def _match(answer: Answer, sight: Sight) -> dict[str, Any]:
    picture = sight.photo(answer)
    parts, on_photo = _outlines(answer, sight.query, picture)
    return {
        "rank": answer.rank,
        "verdict": answer.verdict,
        "score": answer.score,
        "photo_id": printable(answer.photo_id or ""),
        "description": printable(answer.description or ""),
        "dated": _dated(answer),
        "occurrences": answer.occurrences,
        "caption": printable(answer.caption or ""),
        "credit": printable(answer.credit or ""),
        "source": printable(answer.source or ""),
        "picture": picture and picture.outlined(on_photo),
        "parts": parts,
        "decoded": sight.decoded(answer, picture),
        "evidence": sight.evidence(answer) if answer.is_copy else None,
        "also": sight.also(answer),
        "is_served": sight.is_served,
        "is_laid": bool(answer.transform),
    }


def _dated(answer: Answer) -> str:
    """Returns the date of this very photo: of several copies one is the first, as the finding above them says."""
    if answer.published_at and answer.published_at != answer.first_seen_at:
        return f"published {day_words(answer.published_at)}"
    if answer.published_at is None and answer.first_seen_basis == "published":
        return "without a date"
    return seen_words(answer.first_seen_at, answer.first_seen_basis)


def _outlines(answer: Answer, query: Framed | None, photo: Framed | None) -> tuple[list[Outline], list[Outline]]:
    """Returns the outlines of the match: on the query, and on the photo."""
    if not (answer.is_copy and answer.transform and query and photo):
        return [], []
    transform = np.reshape(answer.transform, (3, 3))
    on_query = outlines_of(inverse(transform), photo.size, query.size, label=str(answer.rank))
    return on_query, outlines_of(transform, query.size, photo.size)
