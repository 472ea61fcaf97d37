"""Resize, crop, mirror, rotate, shift: pixels move as the names say, for any shape, grey and colour."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import UsageError
from tests.photos import scene
from tests.training.edits.strategies import photos
from training.edits.geometry import crop, mirror, resize, rotate, shift

PHOTO = scene(7, width=120, height=80)


@settings(deadline=None)
@given(photo=photos(), share=st.floats(0.01, 3))
def test_sides_follow_the_share(photo: np.ndarray, share: float) -> None:
    """Resized and cropped photos have both sides times the share, one pixel at least, and as many channels."""
    height, width, channels = photo.shape
    shape = max(1, round(height * share)), max(1, round(width * share)), channels
    assert resize(photo, share=share).shape == shape
    if share <= 1:
        assert crop(photo, share=share).shape == shape


@settings(deadline=None)
@given(photo=photos(), degrees=st.integers(-360, 360), expand=st.booleans(), down=st.integers(-1, 1))
def test_edits_repeat_themselves_and_leave_their_input_alone(
    photo: np.ndarray, degrees: int, expand: bool, down: int
) -> None:
    """The same parameters give the same uint8 photo with as many channels, in memory of its own."""
    before = photo.copy()
    edits: list[Callable[[], np.ndarray]] = [
        lambda: resize(photo, share=0.7),
        lambda: crop(photo, share=0.7),
        lambda: mirror(photo),
        lambda: rotate(photo, degrees=degrees, expand=expand),
        lambda: shift(photo, right=1, down=down),
    ]
    for edit in edits:
        edited = edit()
        assert (edited.dtype, edited.shape[2]) == (np.uint8, photo.shape[2])
        np.testing.assert_array_equal(edited, edit())
        edited[:] = 0
        np.testing.assert_array_equal(photo, before)


@settings(deadline=None)
@given(photo=photos())
def test_neutral_parameters_change_nothing(photo: np.ndarray) -> None:
    """All of a photo, no turn and no shift are the photo itself."""
    for edited in (
        resize(photo, share=1),
        crop(photo, share=1),
        rotate(photo, degrees=0),
        rotate(photo, degrees=0, expand=False, border="edge"),
        shift(photo, right=0, down=0),
    ):
        np.testing.assert_array_equal(edited, photo)


def test_resize_keeps_what_the_photo_shows() -> None:
    """Half as large and twice as large again, a smooth photo is nearly what it was."""
    back = resize(resize(PHOTO, share=0.5), share=2)
    assert np.abs(back.astype(int) - PHOTO).mean() < 2


def test_resize_averages_fine_patterns() -> None:
    """Stripes one pixel wide become an even grey when the photo shrinks, not other stripes."""
    stripes = np.zeros((40, 40, 1), np.uint8)
    stripes[:, ::2] = 200
    np.testing.assert_array_equal(resize(stripes, share=0.5), np.full((20, 20, 1), 100))


def test_crop_keeps_the_middle() -> None:
    """A crop is a part of the photo, around its middle."""
    np.testing.assert_array_equal(crop(PHOTO, share=0.5), PHOTO[20:60, 30:90])


@settings(deadline=None)
@given(photo=photos())
def test_mirror_twice_is_the_photo(photo: np.ndarray) -> None:
    """Left and right are exchanged, and nothing else."""
    np.testing.assert_array_equal(mirror(photo)[:, 0], photo[:, -1])
    np.testing.assert_array_equal(mirror(mirror(photo)), photo)


@settings(deadline=None)
@given(photo=photos(), degrees=st.sampled_from((90, 180, 270, 360, -90)))
def test_quarter_turns_are_exact(photo: np.ndarray, degrees: int) -> None:
    """Turns by 90 degrees lose nothing; the first counter-clockwise one brings the right column to the top."""
    np.testing.assert_array_equal(rotate(rotate(photo, degrees=degrees), degrees=-degrees), photo)
    np.testing.assert_array_equal(rotate(photo, degrees=90)[0], photo[:, -1])


def test_other_turns_keep_the_whole_photo() -> None:
    """The ground grows so that no corner is cut off: all of the light is still there, on black."""
    white = np.full((80, 120, 3), 255, np.uint8)
    turned = rotate(white, degrees=30)
    assert turned.shape[0] > 80
    assert turned.shape[1] > 120
    assert turned[0, 0].max() == 0
    assert turned.sum() == pytest.approx(white.sum(), rel=0.03)


@pytest.mark.parametrize("degrees", [20, 90])
def test_a_turn_that_keeps_the_shape_fills_its_corners_from_the_border(degrees: int) -> None:
    """Height and width stay, even of an oblong photo; with the border `edge` a white photo stays white."""
    white = np.full((30, 50, 1), 255, np.uint8)
    np.testing.assert_array_equal(rotate(white, degrees=degrees, expand=False, border="edge"), white)
    assert rotate(white, degrees=degrees, expand=False)[0, 0] == 0


def test_turns_are_counter_clockwise() -> None:
    """What was right of the middle is above it after a turn by 80 degrees, in a frame that grows and one that stays."""
    photo = np.zeros((41, 41, 1), np.uint8)
    photo[18:23, 30:35] = 255
    for expand in (True, False):
        turned = rotate(photo, degrees=80, expand=expand)
        rows, columns, _ = np.nonzero(turned > 100)
        middle = (np.array(turned.shape[:2]) - 1) / 2
        assert rows.mean() == pytest.approx(middle[0] - 12 * np.sin(np.radians(80)), abs=0.6)
        assert columns.mean() == pytest.approx(middle[1] + 12 * np.cos(np.radians(80)), abs=0.6)


@settings(deadline=None)
@given(photo=photos(), right=st.floats(-1, 1), down=st.floats(-1, 1))
def test_shift_moves_every_pixel_and_continues_the_border(photo: np.ndarray, right: float, down: float) -> None:
    """The result is a window of the photo padded with its border values."""
    height, width = photo.shape[:2]
    x, y = round(right * width), round(down * height)
    padded = np.pad(photo, ((height, height), (width, width), (0, 0)), "edge")
    window = padded[height - y : 2 * height - y, width - x : 2 * width - x]
    np.testing.assert_array_equal(shift(photo, right=x, down=y), window)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda: resize(PHOTO, share=0), r"share is 0; expected 0\.01 to 10"),
        (lambda: resize(PHOTO, share=10.5), r"share is 10\.5; expected 0\.01 to 10"),
        (lambda: crop(PHOTO, share=1.2), r"share is 1\.2; expected 0\.01 to 1"),
        (lambda: rotate(PHOTO, degrees=361), "degrees is 361; expected -360 to 360"),
        (lambda: rotate(PHOTO, degrees=float("nan")), "degrees is nan; expected -360 to 360"),
        (lambda: shift(PHOTO, right=121, down=0), "right is 121; expected -120 to 120"),
        (lambda: shift(PHOTO, right=0, down=-81), "down is -81; expected -80 to 80"),
    ],
)
def test_parameters_out_of_bounds_are_refused(edit: Callable[[], np.ndarray], message: str) -> None:
    """A parameter outside its bounds is a usage error that names them."""
    with pytest.raises(UsageError, match=message):
        edit()
