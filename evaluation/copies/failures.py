"""Draws the worst failures among the queries that pictures may show: asked, right, and answered."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from evaluation.copies.answered import COPY, Answered
from evaluation.copies.measure import Asked
from evaluation.copies.plan import CopyQuery, Plan
from evaluation.study.picture import Picture, image_png, shortened
from evaluation.study.sheet import Heading, Row, Tile, draw_sheet
from foundation.archives.archive import read
from foundation.photos import photo

ROWS = 12
SIDE = 150
GROUND = 238
WORDS = 34
COLOURS = 255


def draw(asked: Sequence[Asked], plan: Plan, paths: Mapping[CopyQuery, Path]) -> list[Picture]:
    """Returns one sheet with at most twelve failures, worst first; none without failures that may be shown."""
    shown = [(query, answered) for query, answered in asked if query.group == "shown"]
    failed = sorted((one for one in shown if badness(*one) < 0), key=lambda one: (badness(*one), one[0].kind))
    if not failed:
        return []
    # One of each kind, so that the worst kind does not fill the sheet.
    worst: dict[str, Asked] = {}
    for query, answered in failed:
        worst.setdefault(query.kind, (query, answered))
    rows = [_row(query, answered, plan, paths[query]) for query, answered in list(worst.values())[:ROWS]]
    sheet = draw_sheet([Heading("", {0: "asked", 1: "right", 2: "answered first"}), *rows])
    missed = sum(badness(*one) <= -1 for one in failed)
    return [
        Picture(
            "failures.png",
            # All colours would make a file three times as large.
            image_png(Image.open(io.BytesIO(sheet)), colours=COLOURS),
            f"{len(rows)} wrong answers, each beside the query and the photo that is right",
            f"The worst failures, one of each kind, of {len(shown):,} queries made of photographs that may be shown; "
            f"they count in no figure. {missed:,} of them found another photo first, or none as a copy; "
            f"{len(failed) - missed:,} found theirs, with another verdict than expected.",
        )
    ]


def badness(query: CopyQuery, answered: Answered) -> float:
    """Returns 0 for a right answer; below that, the worse the lower: a wrong verdict, a low score, another photo."""
    first = answered.first
    if query.right is None and (first is None or first.score < COPY):
        return 0
    if first is None:
        return -2
    if first.photo != query.right:
        return -2 - first.score  # the surer of another photo, the worse
    if first.score < COPY:
        return -2 + first.score
    return 0 if first.verdict == query.verdict else -0.5


def _row(query: CopyQuery, answered: Answered, plan: Plan, path: Path) -> Row:
    first = answered.first
    given = f"{first.verdict or 'answered'}, score {first.score:.2f}" if first else "nothing answered"
    words = [query.kind.replace("_", " "), f"expected: {query.verdict or 'no copy'}", f"given: {given}"]
    right = Tile(_tile(read(plan.photos[query.right].uri))) if query.right else None
    tiles = [Tile(_tile(path.read_bytes())), right]
    if first and first.photo in plan.shown:
        tiles.append(Tile(_tile(read(plan.photos[first.photo].uri)), first.photo == query.right))
    elif first:
        words.append("of another photo, not shown here")
    return Row([shortened(line, WORDS) for line in words], tiles)


def _tile(data: bytes) -> np.ndarray:
    """Returns the whole photo on a square, uint8 [SIDE, SIDE, 3]."""
    pixels = photo.decode(data, with_metadata=False).pixels
    share = SIDE / max(pixels.shape[:2])
    height, width = (max(1, round(side * share)) for side in pixels.shape[:2])
    tile = np.full((SIDE, SIDE, 3), GROUND, np.uint8)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    tile[top : top + height, left : left + width] = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return tile
