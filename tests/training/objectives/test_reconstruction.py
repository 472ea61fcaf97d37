"""The objective of autoencoders: photos in, the same photos out."""

import numpy as np
import pytest

from foundation.encoder import DECODER
from foundation.errors import UsageError
from training import recipe
from training.objectives.reconstruction import batches, build
from training.recipe import Recipe


def test_default_recipe_builds_one_model_from_photos_to_photos():
    """The fitted model takes uint8 photos and gives float32 photos in [0, 1] of the same shape."""
    model = build(recipe.load("convolutional")).fitted
    photos = np.zeros((2, 64, 64, 3), np.uint8)
    decoded = np.asarray(model(photos))
    assert (decoded.shape, decoded.dtype) == (photos.shape, np.float32)
    assert decoded.min() >= 0
    assert decoded.max() <= 1


def test_encoder_and_decoder_share_the_weights_of_the_fitted_model():
    """What is exported is what was fitted: one after the other, they give the same photos."""
    settings = Recipe(architecture="dense", size=8, channels=1, dimension=4, options={"hidden": "8"})
    models = build(settings)
    assert (models.loss, set(models.heads)) == ("mean_squared_error", {DECODER})
    photos = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1), np.uint8)
    models.fitted.set_weights([weight + 0.1 for weight in models.fitted.get_weights()])
    decoded = models.heads[DECODER](models.encoder(photos))
    np.testing.assert_allclose(decoded, models.fitted(photos), rtol=1e-6)


def test_only_the_photos_of_training_are_shuffled_and_damaged():
    """Validation measures the error on whole photos, the same in every epoch."""
    settings = Recipe(architecture="dense", size=8, batch_size=4, corruption="noise")
    photos = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), np.uint8)
    indices = np.arange(2, 10)
    training = batches(settings, photos, indices, seed=1, training=True)
    validation = batches(settings, photos, indices, seed=1, training=False)
    assert (training.shuffle, training.corruption, len(training)) == (True, "noise", 2)
    np.testing.assert_array_equal(validation[0][0], photos[2:6])
    np.testing.assert_allclose(validation[0][1] * 255, photos[2:6], rtol=1e-5)


def test_an_architecture_without_a_decoder_is_refused():
    """There is nothing to restore photos with; the objective that needs none is named."""
    settings = Recipe(architecture="residual", size=16, dimension=4)
    with pytest.raises(UsageError, match=r"'residual' has no decoder.*; expected .* the objective 'contrastive'"):
        build(settings)
