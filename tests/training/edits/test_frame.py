"""Borders, letterboxes, banners, corners: the photo stays whole inside."""

import numpy as np
import pytest

from tests.photos import scene
from training.edits.frame import add_banner, add_border, blur_sides, letterbox, round_corners

PHOTO = scene(7, width=120, height=80)
BANNER = {"paper": (250, 250, 250), "ink": (20, 20, 20), "typeface": "plain"}


def test_a_border_is_as_wide_as_stated_on_each_side() -> None:
    """Above, right, below, left, in shares of the shorter side, in its colour."""
    framed = add_border(PHOTO, sides=(0.1, 0.2, 0.3, 0), colour=(1, 2, 3))
    assert framed.shape == (80 + 8 + 24, 120 + 16, 3)
    np.testing.assert_array_equal(framed[8:88, :120], PHOTO)
    assert framed[0, 0].tolist() == framed[-1, 0].tolist() == framed[20, -1].tolist() == [1, 2, 3]


@pytest.mark.parametrize("aspect", [0.5, 1, 1.5, 3])
def test_bars_make_the_aspect_and_keep_the_photo(aspect: float) -> None:
    """With plain or blurred bars the picture has the aspect, and the photo in its middle."""
    plain, blurred = letterbox(PHOTO, aspect=aspect, colour=(0, 0, 0)), blur_sides(PHOTO, aspect=aspect)
    assert plain.shape == blurred.shape
    assert plain.shape[1] / plain.shape[0] == pytest.approx(aspect, rel=0.02)
    top, left = (plain.shape[0] - 80) // 2, (plain.shape[1] - 120) // 2
    for boxed in (plain, blurred):
        np.testing.assert_array_equal(boxed[top : top + 80, left : left + 120], PHOTO)
    if aspect != 1.5:
        assert plain[0, 0].tolist() == [0, 0, 0]
        assert blurred[0, 0].any()


@pytest.mark.parametrize("above", [True, False])
def test_a_banner_is_added_beside_the_photo(above: bool) -> None:
    """The photo is whole; the banner is paper with ink on it, another text another banner."""
    one, other = (add_banner(PHOTO, text=text, share=0.3, above=above, **BANNER) for text in ("one text", "another"))
    photo, banner = (one[24:], one[:24]) if above else (one[:80], one[80:])
    np.testing.assert_array_equal(photo, PHOTO)
    assert (banner.shape[0], banner[0, 0].tolist()) == (24, [250, 250, 250])
    assert banner.min() < 150
    assert np.any(one != other)


def test_corners_are_round() -> None:
    """The page's colour in the corners, the photo everywhere else; no radius changes nothing."""
    rounded = round_corners(PHOTO, radius=0.25, colour=(0, 255, 0))
    assert [rounded[y, x].tolist() for y, x in ((0, 0), (0, -1), (-1, 0), (-1, -1))] == [[0, 255, 0]] * 4
    np.testing.assert_array_equal(rounded[20:60], PHOTO[20:60])
    np.testing.assert_array_equal(rounded[:, 20:100], PHOTO[:, 20:100])
    np.testing.assert_array_equal(round_corners(PHOTO, radius=0, colour=(0, 255, 0)), PHOTO)
