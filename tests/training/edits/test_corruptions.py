"""Damage for training: seeded, mild, and never of the original array."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.photos import scene
from training.choices import CORRUPTIONS
from training.edits.corruptions import corrupt

PHOTOS = np.stack([scene(seed, width=32, height=32) for seed in range(50)])


def test_none_changes_nothing():
    """The corruption `none` gives the photos as they are."""
    np.testing.assert_array_equal(corrupt(PHOTOS, "none", np.random.default_rng(0)), PHOTOS)


def test_mild_damage_is_seeded_and_leaves_the_photos_recognisable():
    """Every photo changes, each stays nearer to itself than to any other, and the originals stay untouched."""
    before = PHOTOS.copy()
    damaged = corrupt(PHOTOS, "mild", np.random.default_rng(0))
    np.testing.assert_array_equal(before, PHOTOS)
    np.testing.assert_array_equal(damaged, corrupt(PHOTOS, "mild", np.random.default_rng(0)))
    assert (damaged.shape, damaged.dtype) == (PHOTOS.shape, np.uint8)
    standard = [
        (array - array.mean((1, 2, 3), keepdims=True)).reshape(50, -1) for array in (damaged, PHOTOS.astype(float))
    ]
    assert (np.argmax(standard[0] @ standard[1].T, axis=1) == np.arange(50)).mean() > 0.9
    assert all(np.any(damaged[number] != PHOTOS[number]) for number in range(50))


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [8, 28])
def test_damage_fits_any_photo(name, size, channels):
    """Small and grey photos are damaged as well, the same way for the same seed, and the originals stay as they are."""
    photos = np.zeros((40, size, size, channels), np.uint8)
    damaged = corrupt(photos, name, np.random.default_rng(0))
    assert (damaged.shape, damaged.dtype) == (photos.shape, np.uint8)
    np.testing.assert_array_equal(damaged, corrupt(photos, name, np.random.default_rng(0)))
    assert not photos.any()


def test_noise_changes_every_pixel_a_little_and_masks_a_few_wholly():
    """Noise is spread over the photo, a mask is one rectangle of black or white, blur keeps the mean."""
    photos = np.full((40, 16, 16, 1), 100, np.uint8)
    noisy, masked, blurred = (corrupt(photos, name, np.random.default_rng(0)) for name in ("noise", "masks", "blur"))
    assert (noisy != photos).mean() > 0.9
    assert set(np.unique(masked)) == {0, 100, 255}
    assert 0 < (masked != photos).mean() < 0.25
    np.testing.assert_array_equal(blurred, photos)
    sharp = np.stack([scene(seed, width=16, height=16) for seed in range(20)])
    smooth = corrupt(sharp, "blur", np.random.default_rng(0))
    assert np.abs(np.diff(smooth.astype(int), axis=1)).mean() < np.abs(np.diff(sharp.astype(int), axis=1)).mean()


@settings(deadline=None)
@given(size=st.integers(8, 40), channels=st.sampled_from((1, 3)), seed=st.integers(0, 99))
def test_a_mask_is_one_rectangle_within_its_bounds(size, channels, seed):
    """Its sides are an eighth to a half of the photo's, all of it is black or all of it white, the rest stays."""
    photos = np.full((3, size, size, channels), 100, np.uint8)
    for photo in corrupt(photos, "masks", np.random.default_rng(seed)):
        rows, columns = np.nonzero((photo != 100).all(axis=2))
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert len(rows) == height * width == np.count_nonzero(photo != 100) // channels
        assert size // 8 <= min(height, width) <= max(height, width) <= size // 2
        assert len(np.unique(photo[rows, columns])) == 1


def test_mixed_damage_holds_all_three():
    """Some photos are masked, some noisy, some only smoothed."""
    photos = np.full((60, 16, 16, 1), 100, np.uint8)
    damaged = corrupt(photos, "mixed", np.random.default_rng(0)).reshape(60, -1)
    values = [len(np.unique(photo)) for photo in damaged]
    assert {1, 2} <= set(values)  # blurred grey stays grey; a mask adds one value
    assert max(values) > 5
