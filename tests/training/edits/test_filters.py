"""Filters: where they act, and what they leave."""

import numpy as np
import pytest

from tests.photos import scene
from training.edits.filters import (
    blur_background,
    cartoon,
    emboss,
    fade,
    leak_light,
    quick_blur,
    scratch,
    sketch,
    vignette,
)

PHOTO = scene(7, width=120, height=80)
WHITE = np.full((80, 120, 3), 255, np.uint8)


def test_a_vignette_darkens_the_corners() -> None:
    """The middle stays, the corners are gone by the stated share, the edges by half of it."""
    shaded = vignette(WHITE, strength=0.8)[..., 0]
    assert (shaded[40, 60], shaded[0, 0]) == (255, pytest.approx(51, abs=3))
    assert shaded[0, 60] == pytest.approx(153, abs=3)
    assert vignette(WHITE * 0, strength=1, colour=(255, 255, 255))[0, 0, 0] > 250


def test_fading_moves_black_and_white() -> None:
    """They become the two colours, and what lies between stays between."""
    faded = fade(
        np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2), black=(60, 50, 40), white=(230, 220, 200)
    )
    assert (faded[0, 0].tolist(), faded[0, 255].tolist()) == ([60, 50, 40], [230, 220, 200])
    assert np.all(np.diff(faded[0, :, 0].astype(int)) >= 0)


def test_light_leaks_at_its_place() -> None:
    """Around the place it is the colour, by the stated share; far away nothing changes."""
    leaked = leak_light(WHITE * 0, colour=(255, 0, 0), down=0, right=0, strength=0.6)
    assert leaked[0, 0].tolist() == [pytest.approx(153, abs=8), 0, 0]
    assert not leaked[60:, 80:].any()


def test_a_sketch_is_dark_lines_on_white() -> None:
    """Flat areas turn white and an edge leaves a line; all channels are equal."""
    photo = np.full((60, 60, 3), 180, np.uint8)
    photo[:, 30:] = (30, 60, 40)
    drawn = sketch(photo, deviation=3)
    assert drawn[30, 5].tolist() == drawn[30, 55].tolist() == [255] * 3
    assert drawn[30, 31, 0] < 150
    assert np.ptp(drawn, axis=2).max() == 0


def test_a_relief_is_grey_but_for_slopes() -> None:
    """Flat areas are middle grey, slopes towards the lower right light, others dark."""
    photo = np.full((40, 40, 3), 50, np.uint8)
    photo[10:30, 10:30] = 150
    relief = emboss(photo, strength=0.5)[..., 0]
    assert (relief[2, 2], relief[20, 20]) == (128, 128)
    assert relief[10, 20] > 150
    assert relief[29, 20] < 110


def test_a_cartoon_has_few_colours() -> None:
    """Beside dark lines and their soft edges there are at most the levels asked for."""
    flat = cartoon(PHOTO, steps=4)
    common = [level for level in np.unique(flat) if np.count_nonzero(flat == level) > 200]
    assert len(common) <= 5


def test_scratches_are_light_and_few() -> None:
    """Most of the photo stays, what changes becomes lighter, and the seed places it."""
    black = WHITE * 0
    scratched = scratch(black, lines=4, spots=3, seed=1)
    assert 0.001 < (scratched > 50).mean() < 0.2
    assert np.any(scratched != scratch(black, lines=4, spots=3, seed=2))


def test_only_the_background_is_blurred() -> None:
    """The middle stays sharp, value for value, the corners do not."""
    noise = np.random.default_rng(0).integers(0, 256, (80, 120, 3), np.uint8)
    blurred = blur_background(noise, height=0.6, width=0.6, share=0.03)
    np.testing.assert_array_equal(blurred[38:42, 58:62], noise[38:42, 58:62])
    assert blurred[:10, :10].std() < noise[:10, :10].std() / 3


@pytest.mark.parametrize("deviation", [1, 5, 12])
def test_the_quick_blur_is_like_the_slow_one(deviation: int) -> None:
    """It keeps the mean and differs from a Gaussian filter by a few levels."""
    import cv2

    slow = cv2.GaussianBlur(PHOTO, (0, 0), deviation)
    assert np.abs(quick_blur(PHOTO, deviation=deviation).astype(int) - slow).mean() < 4
