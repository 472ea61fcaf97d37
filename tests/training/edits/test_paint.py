"""Painting and pasting: masks cover what they say, edges cut off, sizes and channels fit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.photos import scene
from training.edits.paint import blank, fill, filled, fit_channels, mix, paint, paste, scaled, soft_ellipse

RED = (200, 20, 40)


@settings(deadline=None)
@given(top=st.integers(-30, 30), left=st.integers(-30, 30), height=st.integers(1, 40), width=st.integers(1, 40))
def test_a_patch_is_cut_off_at_the_edges(top: int, left: int, height: int, width: int) -> None:
    """Wherever a patch is put, what lies inside is the patch and nothing else changes."""
    image, patch = np.zeros((20, 25, 3), np.uint8), np.full((height, width, 3), 7, np.uint8)
    paste(image, patch, top=top, left=left)
    rows, columns = np.indices(image.shape[:2])
    inside = (rows >= top) & (rows < top + height) & (columns >= left) & (columns < left + width)
    np.testing.assert_array_equal(image[..., 0], inside * 7)
    painted = np.zeros((20, 25, 3), np.uint8)
    paint(painted, np.full((height, width), 255, np.uint8), top=top, left=left, colour=RED)
    np.testing.assert_array_equal(painted, inside[..., None] * np.array(RED))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_mask_weighs_both_pictures(channels: int) -> None:
    """Nothing at 0, all at 255, in proportion in between, to one level."""
    under, over = np.full((1, 256, channels), 40, np.uint8), np.full((1, 256, channels), 240, np.uint8)
    mixed = mix(under, over, np.arange(256, dtype=np.uint8)[None])
    assert (mixed.shape, mixed[0, 0, 0], mixed[0, 255, 0]) == (under.shape, 40, 240)
    np.testing.assert_allclose(mixed[0, :, 0], 40 + np.arange(256) * 200 / 255, atol=1)


def test_opacity_scales_the_mask_and_an_empty_mask_paints_nothing() -> None:
    """Half as opaque is half the way to the colour."""
    image = np.zeros((4, 4, 3), np.uint8)
    paint(image, np.zeros((4, 4), np.uint8), top=0, left=0, colour=RED)
    assert not image.any()
    paint(image, np.full((4, 4), 255, np.uint8), top=0, left=0, colour=RED, opacity=0.5)
    np.testing.assert_allclose(image[0, 0], np.array(RED) / 2, atol=1)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_blank_page_has_one_colour(channels: int) -> None:
    """Pages and areas take the colour, or its brightness for one channel."""
    page = blank(3, 4, channels, (90, 90, 90))
    assert (page.shape, set(page.ravel().tolist())) == ((3, 4, channels), {90})
    fill(page[1:], (10, 10, 10))
    assert page[:, 0, 0].tolist() == [90, 10, 10]


def test_a_box_is_filled_with_the_middle() -> None:
    """A wide photo loses its sides and a high one its ends, without distortion."""
    photo = np.zeros((10, 30, 3), np.uint8)
    photo[:, 10:20] = 255
    assert (filled(photo, 40, 40) == 255).all()
    assert (filled(photo.transpose(1, 0, 2), 5, 5) == 255).all()


def test_sizes_are_at_least_one_pixel() -> None:
    """A photo that would shrink to nothing keeps a pixel; the same size is a copy."""
    photo = scene(1)
    assert scaled(photo, 0, 0).shape == (1, 1, 3)
    same = scaled(photo, *photo.shape[:2])
    np.testing.assert_array_equal(same, photo)
    assert not np.shares_memory(same, photo)


def test_an_ellipse_touches_its_sides_and_fades() -> None:
    """Full in the middle, nothing in the corners, a soft edge as wide as stated."""
    hard, soft = (soft_ellipse(41, 61, softness=share)[20] for share in (0.01, 1))
    assert soft_ellipse(41, 61)[0, 0] == 0
    assert (hard[30], np.count_nonzero(hard == 255)) == (255, pytest.approx(59, abs=2))
    assert np.all(np.diff(soft[:31].astype(int)) > 0)


def test_channels_are_made_to_fit() -> None:
    """Grey into colour repeats it, colour into grey is its brightness, the same stays."""
    photo = scene(1)
    grey = fit_channels(photo, 1)
    assert grey.shape == (64, 96, 1)
    assert np.ptp(fit_channels(grey, 3), axis=2).max() == 0
    assert fit_channels(photo, 3) is photo
