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
    failed = sorted((badness(*one), one[0].kind, number) for number, one in enumerate(shown) if badness(*one) < 0)
    # One of each kind, so that the worst kind does not fill the sheet.
    worst = {kind: shown[number] for _, kind, number in reversed(failed)}
    chosen = sorted(worst.values(), key=lambda one: badness(*one))[:ROWS]
    if not chosen:
        return []
    rows = [_row(query, answered, plan, paths[query]) for query, answered in chosen]
    sheet = draw_sheet([Heading("", {0: "asked", 1: "right", 2: "answered first"}), *rows])
    missed = sum(one <= -1 for one, _, _ in failed)
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
    if query.right is None and answered.best_score < COPY:
        return 0
    first = answered.found[0] if answered.found else None
    if first is None:
        return -2
    if first.photo != query.right:
        return -2 - first.score  # the surer of another photo, the worse
    if first.score < COPY:
        return -2 + first.score
    return 0 if first.verdict == query.verdict else -0.5


def _row(query: CopyQuery, answered: Answered, plan: Plan, path: Path) -> Row:
    first = answered.found[0] if answered.found else None
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
