"""Batches that a training is fitted on: of the recipe's objective, split by the seed."""

import numpy as np

from training.data.photo_cache import cache_photos
from training.data.source import open_source
from training.fitting.fit import make_batches
from training.recipe import Recipe


def test_training_and_validation_share_no_photo(photo_folder, tmp_path):
    """Together they are all photos; the seed decides which is which, and nothing else does."""
    photos = cache_photos(open_source(str(photo_folder)), cache=tmp_path, size=8, channels=3)
    settings = Recipe(architecture="dense", size=8, batch_size=4, validation_share=0.25)
    training, validation = make_batches(settings, photos, seed=3)
    assert sorted([*training.indices, *validation.indices]) == list(range(16))
    assert len(validation.indices) == 4
    assert (training.seed, validation.seed) == (3, 3)
    np.testing.assert_array_equal(make_batches(settings, photos, seed=3)[1].indices, validation.indices)
    assert not np.array_equal(make_batches(settings, photos, seed=4)[1].indices, validation.indices)
