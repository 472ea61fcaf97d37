"""Values change as each edit says, and their places stay."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import UsageError
from tests.training.edits.golden import made_photos
from tests.training.edits.strategies import photos
from training.edits.tone import (
    adjust,
    balance,
    brighten,
    duotone,
    equalise,
    grey,
    invert,
    posterise,
    recolour,
    saturate,
    solarise,
    turn_hue,
)


@settings(deadline=None)
@given(photo=photos(), factor=st.floats(0.01, 10))
def test_brighten_multiplies_and_stops_at_white(photo: np.ndarray, factor: float) -> None:
    """Each value is the product, rounded, up to 255; shape, type and the photo itself stay."""
    before = photo.copy()
    brighter = brighten(photo, factor=factor)
    assert (brighter.shape, brighter.dtype) == (photo.shape, np.uint8)
    # OpenCV multiplies in single precision, which may round a product of almost one half the other way.
    np.testing.assert_allclose(brighter, np.minimum(np.rint(photo * factor), 255), atol=1)
    np.testing.assert_array_equal(photo, before)


@settings(deadline=None)
@given(photo=photos())
def test_a_factor_of_one_changes_nothing(photo: np.ndarray) -> None:
    """The neutral factor gives the photo, in memory of its own."""
    same = brighten(photo, factor=1)
    np.testing.assert_array_equal(same, photo)
    assert not np.shares_memory(same, photo)


@pytest.mark.parametrize("factor", [-1, 0, 10.1, float("nan")])
def test_factors_out_of_bounds_are_refused(factor: float) -> None:
    """A factor outside its bounds is a usage error that names them."""
    with pytest.raises(UsageError, match=rf"factor is {factor}; expected 0\.01 to 10"):
        brighten(made_photos(1, 8, 8, 3)[0], factor=factor)


LEVELS = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2)


def test_adjusting_follows_its_formula() -> None:
    """Gamma first, then contrast about middle grey, then brightness, cut off at black and white."""
    found = adjust(LEVELS, brightness=10, contrast=1.5, gamma=2)[0, :, 0]
    expected = (255 * (np.arange(256) / 255) ** 2 - 127.5) * 1.5 + 137.5
    np.testing.assert_allclose(found, np.clip(expected, 0, 255), atol=0.51)
    np.testing.assert_array_equal(adjust(LEVELS), LEVELS)


def test_two_colours_are_the_ends_of_a_duotone() -> None:
    """Black and white become the two colours, all between lies on the line from one to the other."""
    toned = duotone(LEVELS, dark=(10, 0, 100), light=(255, 200, 150))
    assert (toned[0, 0].tolist(), toned[0, 255].tolist()) == ([10, 0, 100], [255, 200, 150])
    np.testing.assert_allclose(toned[0, 128], [133, 100, 125], atol=1)


def test_grey_is_brightness_in_all_channels() -> None:
    """Green counts most, blue least; saturation 0 is grey as well, 1 the photo, more of it more colour."""
    primaries = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert grey(primaries)[0].tolist() == [[76] * 3, [150] * 3, [29] * 3]
    np.testing.assert_array_equal(saturate(primaries, factor=0), grey(primaries))
    np.testing.assert_array_equal(saturate(primaries, factor=1), primaries)
    assert saturate(np.array([[[150, 100, 100]]], np.uint8), factor=2)[0, 0].tolist() == pytest.approx(
        [185, 85, 85], abs=1
    )


def test_hues_turn_around_the_circle() -> None:
    """A third of the circle takes red to green and blue to red; grey stays."""
    colours = np.array([[[200, 0, 0], [0, 0, 200], [90, 90, 90]]], np.uint8)
    found = turn_hue(colours, degrees=120)
    np.testing.assert_allclose(found[0], [[0, 200, 0], [200, 0, 0], [90, 90, 90]], atol=5)
    np.testing.assert_allclose(turn_hue(colours, degrees=-240), found, atol=5)


def test_each_channel_has_its_gain() -> None:
    """Products are cut off at white; one channel takes the first gain."""
    assert balance(LEVELS, gains=(0.5, 1, 2))[0, 200].tolist() == [100, 200, 255]
    assert balance(LEVELS[..., :1], gains=(0.5, 1, 2))[0, 200].tolist() == [100]


def test_inverting_twice_is_the_photo() -> None:
    """Once is the negative."""
    assert invert(LEVELS)[0, 0, 0] == 255
    np.testing.assert_array_equal(invert(invert(LEVELS)), LEVELS)


@pytest.mark.parametrize("steps", [2, 3, 5, 256])
def test_posters_have_so_many_levels(steps: int) -> None:
    """Black and white are among them."""
    found = np.unique(posterise(LEVELS, steps=steps))
    assert (len(found), found[0], found[-1]) == (steps, 0, 255)


def test_solarising_turns_what_is_light() -> None:
    """Up to the threshold nothing changes, above it there is the negative."""
    found = solarise(LEVELS, threshold=100)[0, :, 0]
    np.testing.assert_array_equal(found[:101], LEVELS[0, :101, 0])
    np.testing.assert_array_equal(found[101:], 255 - LEVELS[0, 101:, 0])


def test_equalising_spreads_the_brightness() -> None:
    """A dull photo has more contrast after it, in one channel and in three."""
    dull = LEVELS.repeat(64, axis=0) // 4 + 90
    for photo in (dull, dull[..., :1].copy()):
        assert equalise(photo, limit=8).std() > 1.15 * photo.std()


def test_another_colour_leaves_the_brightness() -> None:
    """Four corners have four colours, the brightness stays that of the photo."""
    photo = made_photos(1, 64, 64, 3)[0] // 2 + 60
    coloured = recolour(photo, colours=[(150, 100, 100), (100, 150, 100), (100, 100, 150), (130, 130, 100)])
    assert np.abs(grey(coloured).astype(int) - grey(photo)).mean() < 2
    assert coloured[0, 0].argmax() == 0
    assert coloured[0, -1].argmax() == 1
    assert coloured[-1, 0].argmax() == 2
