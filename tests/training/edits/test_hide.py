"""Hidden and replaced parts: only the part changes, and it is gone."""

import numpy as np
import pytest

from tests.photos import scene
from training.edits.hide import Region, blend, copy_move, inpaint, replace, veil

PHOTO = np.random.default_rng(0).integers(0, 256, (80, 120, 3), np.uint8)
REGION = Region(0.25, 0.5, 0.5, 0.25)
ROWS, COLUMNS = slice(20, 60), slice(60, 90)


def outside(photo: np.ndarray) -> np.ndarray:
    """Returns the photo with the region black."""
    photo = photo.copy()
    photo[ROWS, COLUMNS] = 0
    return photo


@pytest.mark.parametrize("how", ["blur", "pixels", "colour"])
@pytest.mark.parametrize("oval", [False, True])
def test_a_veil_hides_its_part_alone(how: str, oval: bool) -> None:
    """Outside nothing changes; inside little is left of the detail, in the corners of an ellipse all of it."""
    veiled = veil(PHOTO, region=REGION, how=how, colour=(10, 20, 30), oval=oval)
    np.testing.assert_array_equal(outside(veiled), outside(PHOTO))
    middle = veiled[35:45, 70:80]
    assert middle.std() < PHOTO[35:45, 70:80].std() / 1.8
    assert np.array_equal(veiled[20, 60], PHOTO[20, 60]) == oval


def test_a_region_is_cut_off_at_the_edges_and_never_empty() -> None:
    """One that reaches over the lower right corner ends there; one of no size is a pixel."""
    assert Region(0.5, 0.5, 1, 1).slices(PHOTO) == (slice(40, 80), slice(60, 120))
    assert Region(1, 1, 0, 0).slices(PHOTO) == (slice(79, 80), slice(119, 120))


def test_a_copied_part_is_there_twice() -> None:
    """Its middle is found at the other place, and nothing beyond changes."""
    copied = copy_move(PHOTO, region=REGION, down=0, right=0)
    np.testing.assert_array_equal(copied[15:25, 10:20], PHOTO[35:45, 70:80])
    np.testing.assert_array_equal(copied[:, 30:], PHOTO[:, 30:])


def test_a_replaced_part_has_the_colours_of_what_was_there() -> None:
    """Only the ellipse changes; its mean is that of the part it covers, not that of the other photo."""
    photo = np.full((80, 120, 3), (200, 60, 90), np.uint8)
    replaced = replace(photo, region=REGION, other=scene(3) // 2)
    np.testing.assert_array_equal(outside(replaced), outside(photo))
    assert replaced[ROWS, COLUMNS].mean(axis=(0, 1)) == pytest.approx([200, 60, 90], abs=25)
    assert replaced[35:45, 70:80].std() > 0


def test_an_inpainted_part_looks_like_its_surroundings() -> None:
    """A dark thing on a light ground is gone, and the ground beside the part stays as it was."""
    photo = np.full((80, 120, 3), 200, np.uint8)
    photo[30:50, 68:82] = 0
    filled = inpaint(photo, region=REGION)
    assert filled[40, 75].min() > 150
    np.testing.assert_array_equal(outside(filled), outside(photo))


def test_a_blend_is_in_proportion() -> None:
    """At 0 it is the photo, at 1 the other in its size, in between both."""
    other = np.full((9, 9, 3), 255, np.uint8)
    np.testing.assert_array_equal(blend(PHOTO, other=other, opacity=0), PHOTO)
    assert (blend(PHOTO, other=other, opacity=1) == 255).all()
    assert blend(PHOTO * 0, other=other, opacity=0.25)[0, 0, 0] == pytest.approx(64, abs=1)
