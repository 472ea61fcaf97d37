"""Writes answers as one HTML page that stands alone: query, matches, scores and first-seen dates side by side."""

import base64
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

from jinja2 import Environment, PackageLoader
from PIL import Image

from foundation.errors import FirstseenError
from foundation.photos import photo
from serving.answers import Answer
from serving.output.decoded import picture_name
from serving.output.display import printable

PICTURE_SIDE = 320
SHOWN_MATCHES = 4
DECODED_QUALITY = 90


def write_page(
    answers: Iterable[list[Answer]],
    file: IO[str],
    *,
    read: Callable[[str], bytes],
    title: str,
    facts: str,
    decoded: Path | None = None,
) -> None:
    """Writes the page query by query, in bounded memory; `read` fetches the bytes of a query or a match.

    `title` is its headline, `facts` the line below it. `decoded` is the folder with the decoded pictures of the
    matches, if there is one. A photo that cannot be read any more leaves a note in its place.
    """
    # Whatever strangers wrote is escaped by the template, and made printable here.
    environment = Environment(loader=PackageLoader("serving", "web"), autoescape=True)
    page = environment.get_template("answers.html").stream(
        title=printable(title),
        facts=printable(facts),
        decoded=decoded,
        queries=(_query(number, one_query, read, decoded) for number, one_query in enumerate(answers, 1)),
    )
    file.writelines(page)


def _query(number: int, answers: list[Answer], read: Callable[[str], bytes], decoded: Path | None) -> dict[str, Any]:
    first = answers[0]
    folder, _, name = first.query.rpartition("/")
    shown = [answer for answer in answers[:SHOWN_MATCHES] if answer.rank]
    picture = _picture(first.query, read)
    return {
        "name": printable(name),
        "folder": printable(folder),
        "status": first.status,
        "reason": printable(first.reason or ""),
        "picture": picture and _encoded(picture),
        "matches": [_match(answer, read, decoded and decoded / picture_name(number, answer.rank)) for answer in shown],
    }


def _match(answer: Answer, read: Callable[[str], bytes], decoded: Path | None) -> dict[str, Any]:
    picture = _picture(answer.uri or "", read)
    return {
        "rank": answer.rank,
        "verdict": answer.verdict,
        "score": answer.score,
        "photo_id": printable(answer.photo_id or ""),
        "first_seen": f"{answer.first_seen_at:%-d %B %Y}" if answer.first_seen_at else None,
        "occurrences": answer.occurrences,
        "caption": printable(answer.caption or ""),
        "credit": printable(answer.credit or ""),
        "picture": picture and _encoded(picture),
        "decoded": decoded and _encoded(_in_shape_of(picture, decoded)),
    }


def _picture(uri: str, read: Callable[[str], bytes]) -> bytes | None:
    try:
        return photo.thumbnail_jpeg(read(uri), max_side=PICTURE_SIDE)
    except FirstseenError:
        return None


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _in_shape_of(jpeg: bytes | None, decoded: Path) -> bytes:
    """Returns the decoded picture as a JPEG of the photo's size: the encoder saw the frame squeezed into a square."""
    file = io.BytesIO()
    with Image.open(decoded) as picture, Image.open(io.BytesIO(jpeg) if jpeg else decoded) as shown:
        picture.resize(shown.size, Image.Resampling.BICUBIC).save(file, "JPEG", quality=DECODED_QUALITY)
    return file.getvalue()
