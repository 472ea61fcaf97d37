"""Collages, backgrounds, insets and cut-outs: the photo is where it was put, in the size that was asked for."""

import numpy as np
import pytest

from tests.photos import scene
from training.edits.collage import collage, cut_out, picture_in_picture, put_on

PHOTO = scene(7, width=120, height=80)
OTHERS = [np.full((50, 70, 3), level, np.uint8) for level in (10, 20, 30)]


@pytest.mark.parametrize("place", range(4))
def test_a_collage_has_the_photo_in_its_cell(place: int) -> None:
    """Cell by cell along the rows: the others in their order, the photo whole at its place."""
    made = collage(PHOTO, others=OTHERS, columns=2, place=place, aspect=1, size=2, gap=0, colour=(0, 0, 0))
    assert made.shape == (160, 240, 3)
    cells = [made[top : top + 80, left : left + 120] for top in (0, 80) for left in (0, 120)]
    np.testing.assert_array_equal(cells.pop(place), PHOTO)
    assert [int(cell.mean()) for cell in cells] == [10, 20, 30]


def test_gaps_have_the_collages_colour() -> None:
    """Between and around the cells; an unfilled last row shows it as well."""
    made = collage(PHOTO, others=OTHERS[:2], columns=2, place=0, aspect=1, size=1, gap=0.1, colour=(9, 8, 7))
    assert made.shape == (2 * 40 + 3 * 6, 2 * 60 + 3 * 6, 3)
    assert made[0, 0].tolist() == made[-20, -20].tolist() == [9, 8, 7]


@pytest.mark.parametrize("area", [0.1, 0.4])
@pytest.mark.parametrize("aspect", [0.7, 1, 1.4])
def test_a_photo_takes_its_share_of_the_background(area: float, aspect: float) -> None:
    """It is there whole, at its place, and covers as much as stated; the picture has the aspect stated."""
    made = put_on(PHOTO, background=OTHERS[0], area=area, aspect=aspect, down=1, right=0)
    np.testing.assert_array_equal(made[-80:, :120], PHOTO)
    assert 80 * 120 / (made.shape[0] * made.shape[1]) == pytest.approx(area, rel=0.03)
    assert made.shape[1] / made.shape[0] == pytest.approx(1.5 * aspect, rel=0.03)
    assert (made[0] == 10).all()


def test_a_photo_that_fills_its_background_hides_it() -> None:
    """All of the area and no rim is the photo itself."""
    np.testing.assert_array_equal(put_on(PHOTO, background=OTHERS[0], area=1, aspect=1, down=0, right=0), PHOTO)


def test_rims_are_white() -> None:
    """Around a photo on a background and around an inset there is a white line of the stated width."""
    made = put_on(PHOTO, background=OTHERS[0], area=0.2, aspect=1, down=0.5, right=0.5, rim=0.05)
    assert (made[made.shape[0] // 2] == 255).all(axis=1).sum() >= 8
    inset = picture_in_picture(PHOTO, other=OTHERS[0], size=0.5, down=0, right=1, rim=0.05)
    assert (inset[20, 56:60] == 255).all()


def test_an_inset_covers_its_corner_alone() -> None:
    """Half as high and wide, in the corner that was asked for."""
    inset = picture_in_picture(PHOTO, other=OTHERS[1], size=0.5, down=1, right=0, rim=0)
    assert (inset[40:, :60] == 20).all()
    np.testing.assert_array_equal(inset[:40], PHOTO[:40])
    np.testing.assert_array_equal(inset[:, 60:], PHOTO[:, 60:])


def test_a_cut_out_stands_on_the_lower_edge_of_another_background() -> None:
    """What the mask keeps is the photo's, the rest the background's."""
    mask = np.zeros((8, 12), np.uint8)
    mask[4:] = 255
    made = cut_out(PHOTO, background=OTHERS[2], mask=mask, size=1, right=0.5)
    np.testing.assert_array_equal(made[50:], PHOTO[50:])
    assert (made[:30] == 30).all()
    half = cut_out(PHOTO, background=OTHERS[2], mask=np.full((2, 2), 255, np.uint8), size=0.5, right=1)
    assert (half[:40] == 30).all()
    assert (half[:, :60] == 30).all()
    assert np.any(half[40:, 60:] != 30)
