"""Writes answers as HTML pages that stand alone: what was found of each query, and since when, with the photos."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import accumulate, count, islice, repeat
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import escape
from PIL import Image

from foundation.errors import FirstseenError
from foundation.files import finished_file
from foundation.photos.local_features import frame_size
from serving.answers import Answer
from serving.output.decoded import picture_name
from serving.output.destination import open_partial
from serving.output.display import printable
from serving.output.overview import counts_of, row_of
from serving.output.pictures import ROW_SIDE, THUMBNAIL_SIDE, Picture, Shown, picture_of, thumbnail
from serving.output.stored import StoredPictures
from serving.output.view import Framed, Sight, templates, view_of
from serving.output.wording import ONLY_SIMILAR, sentence

# A browser shows some megabytes at once, and nobody scrolls through more than a hundred queries.
PAGE_QUERIES = 100
# A page stays readable: the files of the other formats hold the rest.
SHOWN_COPIES, SHOWN_SIMILAR = 12, 4
# What tells our own pages from other files: they alone are replaced.
_GENERATOR = "firstseen: page {number} of {name}"
_HEAD_BYTES = 1_000


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What stands beside the answers: how to read a photo, and folders with more about each match, if there are some.

    `stored` has the thumbnails that the index keeps, of the query that is answered. `decoded` holds the decoded
    pictures of the matches, `evidence` is the address of the pages about each copy.
    """

    read: Callable[[str], bytes]
    stored: StoredPictures = field(default_factory=StoredPictures)
    decoded: Path | None = None
    evidence: str | None = None


def write_pages(answers: Iterable[list[Answer]], output: Path, *, title: str, facts: str, beside: Beside) -> None:
    """Writes pages of a hundred queries, of which small pictures are in memory at a time: `output`, and further ones.

    Those are named like `answers-2.html`, and a file of that name that is no page of ours is not replaced. All of them
    appear when everything is written, `output` last. `title` is the headline, `facts` the line below it. A photo that
    cannot be read any more leaves a note in its place. Raises OSError with the name of the page.
    """
    about = {
        "title": printable(title),
        "facts": printable(facts),
        "decoded": beside.decoded,
        "only_similar": sentence(ONLY_SIMILAR).removesuffix("."),
    }
    stem = _free_stem(output)
    with ExitStack() as unfinished:
        for number, queries, is_last in _pages(answers, beside):
            paths = [_path(output, stem, number + step) for step in (-1, 0, 1)]
            partial = unfinished.enter_context(finished_file(paths[1]))
            page = (
                templates()
                .get_template("answers.html")
                .stream(
                    about,
                    page=number,
                    queries=queries,
                    counts=counts_of(queries),
                    rows=[row_of(one, one["small"]) for one in queries],
                    before=number > 1 and paths[0].name,
                    after=None if is_last else paths[2].name,
                    generator=_GENERATOR.format(number=number, name=output.name),
                )
            )
            with open_partial(partial, paths[1]) as file:
                file.writelines(page)
    _remove_outdated(output, stem, after=number)


def _pages(answers: Iterable[list[Answer]], beside: Beside) -> Iterator[tuple[int, list[dict[str, Any]], bool]]:
    """Yields (number, queries, whether it is the last) of each page; without a query there is one without any."""
    # A picture is read when its answer comes: what the index keeps of a match is at hand only until the next one.
    views = (_view(number, one, beside) for number, one in enumerate(answers, 1))
    queries = list(islice(views, PAGE_QUERIES))
    for number in count(1):
        following = list(islice(views, 1))
        yield number, queries, not following
        if not following:
            return
        queries = [*following, *islice(views, PAGE_QUERIES - 1)]


def _view(number: int, answers: list[Answer], beside: Beside) -> dict[str, Any]:
    picture = _picture(answers[0].query, beside)
    small = thumbnail(picture.pixels, side=ROW_SIDE) if picture else None
    return {**view_of(number, answers, _sight(number, picture, beside)), "small": small}


def _sight(number: int, query: Picture | None, beside: Beside) -> Sight:
    def photo(answer: Answer) -> Framed | None:
        uri = answer.uri or ""
        return _framed(beside.stored.picture(uri) or _picture(uri, beside))

    def decoded(answer: Answer, photo: Framed | None) -> Shown | None:
        return _in_shape_of(photo, beside.decoded / picture_name(number, answer.rank or 0)) if beside.decoded else None

    return Sight(
        query=_framed(query),
        photo=photo,
        decoded=decoded,
        evidence=lambda answer: beside.evidence and f"{beside.evidence}/{number:06}-{answer.rank:02}.html",
        most_copies=SHOWN_COPIES,
        most_similar=SHOWN_SIMILAR,
    )


def _picture(uri: str, beside: Beside) -> Picture | None:
    try:
        return picture_of(beside.read(uri), side=THUMBNAIL_SIDE)
    except FirstseenError:
        return None


def _framed(picture: Picture | None) -> Framed | None:
    return Framed(thumbnail(picture.pixels), picture.size) if picture else None


def _in_shape_of(photo: Framed | None, decoded: Path) -> Shown:
    """Returns the decoded picture in the photo's shape: the encoder saw the frame squeezed into a square."""
    with Image.open(decoded) as file:
        size = frame_size(*photo.size, longest_side=THUMBNAIL_SIDE) if photo else file.size
        pixels = np.asarray(file.convert("RGB").resize(size, Image.Resampling.BICUBIC))
    return Shown(thumbnail(pixels), size[0] / size[1])


def _path(output: Path, stem: str, number: int) -> Path:
    return output if number == 1 else output.with_name(f"{stem}-{number}{output.suffix}")


def _free_stem(output: Path) -> str:
    """Returns what the names of further pages begin with, so that none is that of a file which is no page of ours."""
    stems = accumulate(repeat("-page"), initial=output.stem)
    return next(stem for stem in stems if all(_is_page(path, output) for _, path in _numbered(output, stem)))


def _remove_outdated(output: Path, stem: str, *, after: int) -> None:
    """Removes pages of an earlier run, which had more: what they go on from was replaced."""
    for number, path in _numbered(output, stem):
        if number > after and _is_page(path, output):
            path.unlink()


def _numbered(output: Path, stem: str) -> list[tuple[int, Path]]:
    pattern = re.compile(rf"{re.escape(stem)}-(\d+){re.escape(output.suffix)}")
    found = [(pattern.fullmatch(path.name), path) for path in output.absolute().parent.iterdir()]
    return [(int(match[1]), path) for match, path in found if match]


def _is_page(path: Path, output: Path) -> bool:
    """Returns whether a file is a further page that was written for the same output."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return False
    return f' of {escape(output.name)}">' in head and 'content="firstseen: page ' in head
