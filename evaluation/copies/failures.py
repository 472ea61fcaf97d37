"""Draws the worst failures among the queries that pictures may show: asked, right, and answered."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from evaluation.copies.answered import COPY, Answered
from evaluation.copies.measure import Asked
from evaluation.copies.plan import CopyQuery, Plan
from evaluation.study.picture import Picture, shortened
from evaluation.study.sheet import Heading, Row, Tile, draw_sheet
from foundation.archives.archive import read
from foundation.photos import photo

ROWS = 12
SIDE = 150
GROUND = 238
WORDS = 34


def draw(asked: Sequence[Asked], plan: Plan, paths: Mapping[CopyQuery, Path]) -> list[Picture]:
    """Returns one sheet with at most twelve failures, worst first; none without failures that may be shown."""
    shown = [(query, answered) for query, answered in asked if query.group == "shown"]
    failed = sorted(
        ((badness(query, answered), query.name, query, answered) for query, answered in shown), key=lambda one: one[:2]
    )
    failed = [one for one in failed if one[0] < 0][:ROWS]
    if not failed:
        return []
    rows = [_row(query, answered, plan, paths[query]) for _, _, query, answered in failed]
    missed = sum(badness(query, answered) <= -1 for query, answered in shown)
    return [
        Picture(
            "failures.png",
            draw_sheet([Heading("", {0: "asked", 1: "right", 2: "answered first"}), *rows]),
            f"{len(rows)} queries that were answered wrongly, with the right photo and the one that was answered",
            f"The worst failures, of {len(shown):,} queries made of photographs that may be shown; they count in no "
            f"figure. Of {missed:,} another photo was answered first, or none as a copy; of the others the verdict is "
            "wrong.",
        )
    ]


def badness(query: CopyQuery, answered: Answered) -> float:
    """Returns 0 for a right answer; below that, the worse the lower: a wrong verdict, a low score, another photo."""
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
    words = [query.kind.replace("_", " "), f"expected: {query.verdict}", f"given: {given}"]
    tiles: list[Tile | None] = [Tile(_tile(path.read_bytes())), Tile(_tile(read(plan.photos[query.source].uri)))]
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
