"""Writes answers as one HTML page that stands alone: query, matches, scores and first-seen dates side by side."""

import base64
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from serving.answers import Answer
from serving.formats import open_text, printable
from training import photo
from training.errors import FirstseenError

PICTURE_SIDE = 320
SHOWN_MATCHES = 4


def write_page(
    answers: Iterable[list[Answer]], *, read: Callable[[str], bytes], output: Path, title: str, facts: str
) -> None:
    """Writes the page query by query, in bounded memory; `read` fetches the bytes of a query or a match.

    A photo that cannot be read any more leaves a note in its place.
    """
    environment = Environment(loader=PackageLoader("serving", "web"), autoescape=True)
    page = environment.get_template("answers.html").stream(
        title=title, facts=facts, queries=(_query(one_query, read) for one_query in answers)
    )
    with open_text(output) as file:
        file.writelines(page)


def _query(answers: list[Answer], read: Callable[[str], bytes]) -> dict[str, Any]:
    first = answers[0]
    folder, _, name = first.query.rpartition("/")
    shown = [answer for answer in answers[:SHOWN_MATCHES] if answer.rank]
    return {
        "name": printable(name),
        "folder": printable(folder),
        "status": first.status,
        "reason": first.reason,
        "picture": _picture(first.query, read),
        "matches": [_match(answer, read) for answer in shown],
    }


def _match(answer: Answer, read: Callable[[str], bytes]) -> dict[str, Any]:
    return {
        "rank": answer.rank,
        "verdict": answer.verdict,
        "score": answer.score,
        "photo_id": answer.photo_id,
        "first_seen": f"{answer.first_seen_at:%-d %B %Y}" if answer.first_seen_at else None,
        "occurrences": answer.occurrences,
        "caption": answer.caption,
        "credit": answer.credit,
        "picture": _picture(answer.uri or "", read),
    }


def _picture(uri: str, read: Callable[[str], bytes]) -> str | None:
    try:
        return base64.b64encode(photo.thumbnail_jpeg(read(uri), max_side=PICTURE_SIDE)).decode()
    except FirstseenError:
        return None
