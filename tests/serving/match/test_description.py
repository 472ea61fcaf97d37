"""Descriptions: evidence in the words of a news desk."""

from dataclasses import replace

import numpy as np
import pytest

from serving.match.description import describe
from serving.match.verdict import Verdict, judge
from tests.serving.match.pictures import embedded, proven, scene, turned

PHOTO = scene(1)
HEIGHT, WIDTH = PHOTO.shape[:2]


def said(edited: np.ndarray) -> str:
    """What is said of an edited photo."""
    evidence = proven(edited, PHOTO)
    return describe(evidence, judge(evidence))


def bars(top: int = 0, right: int = 0, bottom: int = 0, left: int = 0) -> np.ndarray:
    """The photo with white margins."""
    return embedded(PHOTO, top=top, left=left, width=WIDTH + left + right, height=HEIGHT + top + bottom)


@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        (PHOTO, "a copy of the photo"),
        (PHOTO[:, :240].copy(), "a crop of 50 % of the photo"),
        (PHOTO[:, 120:360][:, ::-1].copy(), "a mirrored crop of 50 % of the photo"),
        (turned(PHOTO, 10), "a copy of the photo turned by 10 degrees"),
        (255 - PHOTO, "a copy of the photo as a negative"),
        (bars(bottom=90), "a copy of the photo, with a banner added below"),
        (bars(top=60, bottom=60), "a copy of the photo, with bars added above and below"),
        (bars(30, 30, 30, 30), "a copy of the photo, with a frame around it"),
        (bars(200, 400, 300, 150), "a copy of the photo, inside of a larger picture, of which it fills 20 %"),
    ],
)
def test_what_was_done_is_said(edited: np.ndarray, expected: str):
    """One phrase says all that was found, without a full stop."""
    assert said(edited) == expected


def test_an_overlay_says_how_much_it_covers_and_where():
    """The share of the photo that differs, and its part."""
    edited = PHOTO.copy()
    edited[270:, :] = 255
    text = said(edited)
    share = int(text.removeprefix("a copy of the photo, with ").removesuffix(" % of it covered or changed (bottom)"))
    assert 22 <= share <= 28


@pytest.mark.parametrize("name", ["same_scene", "similar"])
def test_what_is_no_copy_is_not_called_one(name: str):
    """Neither word for a copy nor for a change."""
    text = describe(proven(PHOTO, PHOTO), Verdict(name, 0.2))
    assert text.startswith("another photo")
    assert "copy" not in text


def test_a_tiny_share_is_not_rounded_to_nothing():
    """Nobody reads that a photo fills 0 % of a page."""
    page = embedded(scene(3), top=100, left=200, width=1_000, height=800)
    evidence = replace(proven(page, scene(3)), query_overlap=0.004)
    assert "of which it fills less than 1 %" in describe(evidence, judge(evidence))
