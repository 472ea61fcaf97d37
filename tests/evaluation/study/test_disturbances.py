"""Disturbed queries: as strong as stated, repeatable, and for grey and colour alike."""

import numpy as np
import pytest

from evaluation.study.disturbances import disturb
from evaluation.study.result import DISTURBANCES
from foundation.errors import UsageError
from tests.photos import scene

COLOUR = np.stack([scene(seed, width=32, height=32) for seed in range(6)])
GREY = COLOUR[:, 2:30, 2:30, :1]


@pytest.mark.parametrize("photos", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("name", DISTURBANCES)
def test_every_photo_changes_and_the_originals_do_not(photos, name):
    """Shape and type stay, each photo is another, and what was passed in is untouched."""
    before = photos.copy()
    disturbed = disturb(photos, name, seed=0)
    np.testing.assert_array_equal(photos, before)
    assert (disturbed.shape, disturbed.dtype) == (photos.shape, np.uint8)
    assert np.any(disturbed != photos, axis=(1, 2, 3)).all()


@pytest.mark.parametrize("name", DISTURBANCES)
def test_chance_hangs_on_seed_and_position_alone(name):
    """The first photos are disturbed the same without the rest; another seed or position disturbs otherwise."""
    alike = np.repeat(COLOUR[:1], 6, axis=0)
    disturbed = disturb(alike, name, seed=0)
    np.testing.assert_array_equal(disturb(alike[:3], name, seed=0), disturbed[:3])
    if name != "blur":
        assert np.any(disturb(alike, name, seed=1) != disturbed)
        assert np.any(disturbed[1:] != disturbed[:1])


def test_noise_has_the_stated_strength():
    """Where nothing is cut off, within 1.5 standard deviations, a middle grey spreads by 0.3 of the range."""
    noisy = disturb(np.full((4, 64, 64, 1), 128, np.uint8), "noise", seed=0)
    share_within = np.mean(np.abs(noisy.astype(float) - 128) <= 0.3 * 255)
    assert share_within == pytest.approx(0.683, abs=0.02)


def test_blur_has_the_stated_strength():
    """A point becomes a Gaussian whose standard deviation is a twentieth of the side."""
    photo = np.zeros((1, 81, 81, 1), np.uint8)
    photo[0, 38:43, 38:43] = 255
    blurred = disturb(photo, "blur", seed=0)[0, :, :, 0].astype(float)
    places = np.arange(81) - 40
    variance = (blurred.sum(axis=0) * places**2).sum() / blurred.sum()
    assert variance == pytest.approx((81 / 20) ** 2 + (5**2 - 1) / 12, rel=0.1)


def test_shift_moves_by_whole_pixels_and_continues_the_border():
    """Every row and column is one of the original, a twentieth of the side away in one direction or another."""
    photos = np.repeat(COLOUR[:1], 12, axis=0)
    padded, directions = np.pad(COLOUR[0], ((2, 2), (2, 2), (0, 0)), mode="edge"), set()
    for shifted in disturb(photos, "shift", seed=0):
        offsets = [(y, x) for y in range(-2, 3) for x in range(-2, 3)]
        equal = [o for o in offsets if np.array_equal(shifted, padded[2 + o[0] : 34 + o[0], 2 + o[1] : 34 + o[1]])]
        assert len(equal) == 1
        assert 1 <= np.hypot(*equal[0]) <= 32 / 20 * np.sqrt(2)
        directions.update(equal)
    assert len(directions) > 3


def test_rotation_turns_by_ten_degrees_either_way():
    """A bar across the middle ends up at plus or minus ten degrees, and both occur."""
    photo = np.zeros((1, 65, 65, 1), np.uint8)
    photo[:, 31:34] = 255
    angles = []
    for turned in disturb(np.repeat(photo, 12, axis=0), "rotation", seed=0):
        rows, columns = np.nonzero(turned[:, 16:49, 0] > 128)
        angles.append(np.degrees(np.arctan(np.polyfit(columns, rows, 1)[0])))
    np.testing.assert_allclose(np.abs(angles), 10, atol=0.5)
    assert min(angles) < 0 < max(angles)


def test_occlusion_is_one_grey_square_of_a_third():
    """Eleven pixels of 32 a side are grey, the others as they were."""
    white = np.full((8, 32, 32, 3), 255, np.uint8)
    for photo in disturb(white, "occlusion", seed=0):
        rows, columns = np.nonzero((photo == 128).all(axis=2))
        assert len(rows) == 11 * 11 == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
        assert np.count_nonzero(photo == 255) == (32 * 32 - 11 * 11) * 3


def test_an_unknown_disturbance_names_the_valid_ones():
    """The message says what was received and what there is."""
    with pytest.raises(UsageError, match="is 'snow'; expected one of: noise, blur, shift, rotation, occlusion"):
        disturb(GREY, "snow", seed=0)


@pytest.mark.parametrize("photos", [GREY.astype(np.float32), GREY[0], GREY[:, :20]])
def test_other_than_square_photos_are_refused(photos):
    """Floats, a single photo and oblong photos end in one line."""
    with pytest.raises(UsageError, match=r"expected uint8 \[n, side, side, channels\]"):
        disturb(photos, "blur", seed=0)
