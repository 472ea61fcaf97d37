"""Edits: deterministic, of the stated shape, and what their names say."""

import cv2
import numpy as np
import pytest

from foundation.errors import UsageError
from tests.photos import scene
from training.edits import copies

PHOTO = scene(7, width=120, height=80)


@pytest.mark.parametrize("name", copies.EDITS)
def test_every_edit_is_deterministic_and_leaves_its_input_alone(name):
    """An edit gives the same uint8 RGB photo each time, another than it got."""
    before = PHOTO.copy()
    edited = copies.EDITS[name](PHOTO)
    np.testing.assert_array_equal(edited, copies.EDITS[name](PHOTO))
    np.testing.assert_array_equal(PHOTO, before)
    assert edited.dtype == np.uint8
    assert edited.ndim == 3
    assert edited.shape[2] == 3
    assert edited.shape != PHOTO.shape or not np.array_equal(edited, PHOTO)


@pytest.mark.parametrize("name", copies.EDITS)
@pytest.mark.parametrize("shape", [(1, 1), (9, 500), (500, 9)])
def test_every_edit_takes_any_shape(name, shape):
    """Tiny and narrow photos are edited as well."""
    edited = copies.EDITS[name](np.full((*shape, 3), 120, np.uint8))
    assert min(edited.shape) >= 1


def test_jpeg_of_lower_quality_is_smaller_and_close():
    """`to_jpeg` gives a JPEG in the right channel order."""
    small, large = copies.to_jpeg(PHOTO, 20), copies.to_jpeg(PHOTO, 95)
    assert len(small) < len(large)
    decoded = cv2.imdecode(np.frombuffer(large, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(decoded.astype(int) - PHOTO).mean() < 3


def test_reencode_stays_close():
    """A JPEG of low quality moves values by little, and not the shape."""
    assert np.abs(copies.reencode(PHOTO).astype(int) - PHOTO).mean() < 6


@pytest.mark.parametrize(("share", "shape"), [(0.5, (40, 60, 3)), (2, (160, 240, 3)), (0.01, (1, 1, 3))])
def test_resize_multiplies_both_sides(share, shape):
    """Both sides follow the share, and never vanish."""
    assert copies.resize(PHOTO, share).shape == shape


def test_crop_keeps_the_middle():
    """A crop is a part of the photo, around its middle."""
    np.testing.assert_array_equal(copies.crop(PHOTO, 0.5), PHOTO[20:60, 30:90])


def test_mirror_twice_is_the_photo():
    """Left and right are exchanged, and nothing else."""
    np.testing.assert_array_equal(copies.mirror(PHOTO)[:, 0], PHOTO[:, -1])
    np.testing.assert_array_equal(copies.mirror(copies.mirror(PHOTO)), PHOTO)


@pytest.mark.parametrize("degrees", [90, 180, 270, -90])
def test_quarter_turns_are_exact(degrees):
    """Turns by 90 degrees lose nothing."""
    np.testing.assert_array_equal(copies.rotate(copies.rotate(PHOTO, degrees), -degrees), PHOTO)


def test_other_turns_keep_the_whole_photo():
    """The ground grows so that no corner is cut off: all of the light is still there."""
    white = np.full((80, 120, 3), 255, np.uint8)
    turned = copies.rotate(white, 30)
    assert turned.shape[0] > 80
    assert turned.shape[1] > 120
    assert turned.sum() == pytest.approx(white.sum(), rel=0.03)


def test_caption_covers_the_lower_edge_only():
    """The bar is dark with light text; above it nothing changes."""
    captioned = copies.overlay_caption(PHOTO, "WORDS")
    bar = round(80 * copies.CAPTION_SHARE)
    np.testing.assert_array_equal(captioned[:-bar], PHOTO[:-bar])
    assert captioned[-bar:].min() == copies.DARK[0]
    assert captioned[-bar:].max() > 200
    assert not np.array_equal(captioned, copies.overlay_caption(PHOTO, "OTHER"))


def test_brighten_multiplies_and_stops_at_white():
    """Values grow by the factor up to 255."""
    brighter = copies.brighten(PHOTO, 1.5).astype(int)
    np.testing.assert_allclose(brighter, np.minimum(PHOTO * 1.5, 255), atol=1)


def test_screenshot_holds_the_whole_photo():
    """The photo lies unchanged inside the page."""
    page = copies.embed_in_screenshot(PHOTO)
    match = cv2.matchTemplate(page, PHOTO, cv2.TM_SQDIFF)
    assert match.min() == 0
    assert page.shape[0] > 80 * 1.5


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda: copies.to_jpeg(PHOTO, 0), "quality is 0; expected 1 to 100"),
        (lambda: copies.resize(PHOTO, 0), "share is 0; expected 0.01 to 10"),
        (lambda: copies.crop(PHOTO, 1.2), "share is 1.2; expected 0.01 to 1"),
        (lambda: copies.brighten(PHOTO, -1), "factor is -1"),
    ],
)
def test_impossible_strengths_are_refused(edit, message):
    """A strength outside its range is a usage error with the range."""
    with pytest.raises(UsageError, match=message):
        edit()
