"""Prints, scans and photographed screens: dots, stripes, reflections and perspective as the parameters say."""

import numpy as np
import pytest

from tests.photos import scene
from training.edits.camera import add_glare, add_moire, halftone, on_table, plane_wave, print_in_colour, scan

PHOTO = scene(7, width=120, height=80)
GREY = np.full((120, 160, 3), 128, np.uint8)


@pytest.mark.parametrize("level", [30, 80, 128, 180, 225])
@pytest.mark.parametrize("cell", [3, 6])
def test_dots_print_as_much_light_as_there_was(level: int, cell: int) -> None:
    """The mean of paper and ink follows the photo's brightness, ends included."""
    photo = np.full_like(GREY, level)
    printed = halftone(photo, cell=cell, degrees=30, paper=(255, 255, 255), ink=(0, 0, 0))
    assert printed.mean() == pytest.approx(level, abs=35)
    assert print_in_colour(photo, cell=cell, degrees=30).mean() == pytest.approx(level, abs=35)
    ends = [halftone(photo * 0 + end, cell=cell, degrees=30, paper=(250, 240, 230), ink=(9, 8, 7)) for end in (0, 255)]
    assert ends[0][60, 80].tolist() == [9, 8, 7]
    assert ends[1][60, 80].tolist() == [250, 240, 230]


def test_dots_are_as_far_apart_as_stated() -> None:
    """Without a turn a print repeats itself after a cell."""
    printed = halftone(GREY, cell=8, degrees=0, paper=(255, 255, 255), ink=(0, 0, 0))
    np.testing.assert_allclose(printed[:-8, :-8].astype(int), printed[8:, 8:], atol=1)
    assert np.abs(printed[:-4].astype(int) - printed[4:]).max() > 200


def test_a_wave_is_the_cosine_of_its_phase() -> None:
    """Split into rows and columns it has the values of the formula."""
    rows, columns = np.indices((20, 30))
    wave = plane_wave(20, 30, across=0.7, down=-0.3, phase=0.5)
    np.testing.assert_allclose(wave, np.cos(0.7 * columns - 0.3 * rows + 0.5), atol=1e-5)


def test_stripes_are_as_strong_and_as_many_as_stated() -> None:
    """Grey becomes lighter and darker by the strength, so many times across the photo, each channel otherwise."""
    striped = add_moire(GREY, across=10, down=0, strength=0.25).astype(int)
    assert (striped.min(), striped.max()) == (pytest.approx(96, abs=2), pytest.approx(160, abs=2))
    above = striped[0, :, 0] > 128
    assert np.count_nonzero(above[1:] & ~above[:-1]) == pytest.approx(10, abs=1)
    assert np.any(striped[..., 0] != striped[..., 1])


def test_a_reflection_is_white_at_its_place() -> None:
    """In its middle by the stated share, beyond its size not at all."""
    lit = add_glare(GREY * 0, down=0.5, right=0.25, size=0.4, strength=0.8)[..., 0]
    assert lit[60, 40] == pytest.approx(204, abs=8)
    assert not lit[:, 80:].any()


def test_a_screen_lies_on_its_surface() -> None:
    """Inside of the corners there is the photo behind its bezel, outside the surface."""
    corners = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)]
    surface = np.full((5, 5, 3), 77, np.uint8)
    lying = on_table(np.full_like(PHOTO, 255), corners=corners, surface=surface, rim=0.1)
    assert (lying[5] == 77).all()
    assert (lying[40, 60] == 255).all()
    assert lying[40, 26].max() < 60


def test_a_scan_is_darker_towards_one_side() -> None:
    """By the stated share at the right edge; dust lies where the seed puts it."""
    white = np.full((50, 100, 3), 255, np.uint8)
    scanned = scan(white, shadow=0.4, dust=0, seed=0)
    assert (scanned[0, 0, 0], scanned[0, -1, 0]) == (255, pytest.approx(153, abs=2))
    dusty = scan(white, shadow=0, dust=30, seed=1)
    assert 20 <= (dusty == 40).all(axis=2).sum() <= 30
    assert np.any(dusty != scan(white, shadow=0, dust=30, seed=2))
