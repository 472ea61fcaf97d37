"""Damage for training: seeded, mild, and never of the original array."""

import numpy as np
import pytest

from tests.photos import scene
from training.corruptions import corrupt

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


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [8, 28])
def test_damage_fits_any_photo(size, channels):
    """Small and grey photos are damaged as well."""
    photos = np.zeros((40, size, size, channels), np.uint8)
    assert corrupt(photos, "mild", np.random.default_rng(0)).shape == photos.shape
