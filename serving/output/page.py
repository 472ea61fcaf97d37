"""Writes answers as one HTML page that stands alone: what was found of each query, and since when, with the photos."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from jinja2 import Environment, PackageLoader
from PIL import Image

from foundation.errors import FirstseenError
from serving.answers import Answer
from serving.match.footprint import inverse
from serving.output.decoded import picture_name
from serving.output.display import printable
from serving.output.pictures import Outline, Picture, Shown, joined, outlines_of, picture_of, shown
from serving.output.wording import CONTRADICTED, ONLY_SIMILAR, described, seen_words, sentence

PICTURE_SIDE = 480
# A page stays readable: the files of the other formats hold the rest.
SHOWN_COPIES, SHOWN_SIMILAR = 12, 4
HEADINGS = {
    "found": "Seen before",
    "unproven": "No proof of a copy",
    "no_match": "Not in this archive",
    "not_matchable": "Cannot be matched",
    "rejected": "Not looked up",
}


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What stands beside the answers: how to read a photo, and folders with more about each match, if there are some.

    `decoded` holds the decoded pictures of the matches, `evidence` is the address of the pages about each copy.
    """

    read: Callable[[str], bytes]
    decoded: Path | None = None
    evidence: str | None = None


@cache
def templates() -> Environment:
    """Returns the templates of all pages; whatever strangers wrote is escaped in them."""
    return Environment(loader=PackageLoader("serving", "web"), autoescape=True, trim_blocks=True, lstrip_blocks=True)


def write_page(answers: Iterable[list[Answer]], file: IO[str], *, title: str, facts: str, beside: Beside) -> None:
    """Writes the page query by query, in bounded memory.

    `title` is its headline, `facts` the line below it. A photo that cannot be read any more leaves a note in its place.
    """
    page = templates().get_template("answers.html")
    stream = page.stream(
        title=printable(title),
        facts=printable(facts),
        decoded=beside.decoded,
        only_similar=sentence(ONLY_SIMILAR).removesuffix("."),
        queries=(_query(number, one_query, beside) for number, one_query in enumerate(answers, 1)),
    )
    file.writelines(stream)


def _query(number: int, answers: list[Answer], beside: Beside) -> dict[str, Any]:
    first = answers[0]
    folder, _, name = first.query.rpartition("/")
    copies = [answer for answer in answers if answer.is_copy]
    similar = [answer for answer in answers if answer.rank and not answer.is_copy]
    status = "found" if copies else "unproven" if first.status == "matched" else first.status
    picture = _picture(first.query, beside)
    matches = [_match(number, answer, picture, beside) for answer in copies[:SHOWN_COPIES]]
    parts = joined([part for match in matches for part in match.pop("parts")])
    return {
        "name": printable(name),
        "folder": printable(folder),
        "status": status,
        "heading": HEADINGS[status],
        # The heading says so already; what follows says what was compared.
        "reason": sentence(printable((first.reason or "").removeprefix("not in this archive").lstrip(" :;,"))),
        "findings": list(_findings(copies)),
        "picture": picture and shown(picture.pixels, parts),
        "copies": matches,
        "similar": [_match(number, answer, None, beside) for answer in similar[:SHOWN_SIMILAR]],
        "hidden": max(len(copies) - SHOWN_COPIES, 0) + max(len(similar) - SHOWN_SIMILAR, 0),
    }


def _findings(copies: Sequence[Answer]) -> Iterator[dict[str, Any]]:
    """Yields what was found of each part of a query: a collage's photos have dates of their own."""
    told = set()
    for answer in copies:
        first = (answer.first_seen_at, answer.first_seen_uri)
        if first in told:
            continue
        told.add(first)
        yield {
            "seen": seen_words(answer.first_seen_at, answer.first_seen_basis),
            "uri": printable(answer.first_seen_uri or ""),
            "description": sentence(printable(described(answer.verdict, answer.description))),
            "contradiction": sentence(CONTRADICTED) if answer.claim == "contradicted" else "",
        }


def _match(number: int, answer: Answer, query: Picture | None, beside: Beside) -> dict[str, Any]:
    picture = _picture(answer.uri or "", beside)
    parts, on_photo = _outlines(answer, query, picture)
    decoded = beside.decoded and beside.decoded / picture_name(number, answer.rank)
    return {
        "rank": answer.rank,
        "verdict": answer.verdict,
        "score": answer.score,
        "photo_id": printable(answer.photo_id or ""),
        "description": printable(answer.description or ""),
        "seen": seen_words(answer.first_seen_at, answer.first_seen_basis),
        "occurrences": answer.occurrences,
        "caption": printable(answer.caption or ""),
        "credit": printable(answer.credit or ""),
        "source": printable(answer.source or ""),
        "picture": picture and shown(picture.pixels, on_photo),
        "parts": parts,
        "decoded": decoded and _in_shape_of(picture, decoded),
        "evidence": answer.is_copy and beside.evidence and f"{beside.evidence}/{number:06}-{answer.rank:02}.html",
    }


def _outlines(answer: Answer, query: Picture | None, photo: Picture | None) -> tuple[list[Outline], list[Outline]]:
    """Returns the outlines of the match: on the query, and on the photo."""
    if not (answer.is_copy and answer.transform and query and photo):
        return [], []
    transform = np.reshape(answer.transform, (3, 3))
    on_query = outlines_of(inverse(transform), photo.size, query.size, label=str(answer.rank))
    return on_query, outlines_of(transform, query.size, photo.size)


def _picture(uri: str, beside: Beside) -> Picture | None:
    try:
        return picture_of(beside.read(uri), side=PICTURE_SIDE)
    except FirstseenError:
        return None


def _in_shape_of(picture: Picture | None, decoded: Path) -> Shown:
    """Returns the decoded picture in the photo's shape: the encoder saw the frame squeezed into a square."""
    with Image.open(decoded) as file:
        height, width = picture.pixels.shape[:2] if picture else file.size[::-1]
        return shown(np.asarray(file.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)))
