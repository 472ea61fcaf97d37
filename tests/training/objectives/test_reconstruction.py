"""What all architectures share: discovery, options, the code."""

import keras
import numpy as np
import pytest

from foundation.errors import UsageError
from training import recipe
from training.objectives.reconstruction import architecture_names, build, code
from training.recipe import Recipe


def test_unknown_architecture_lists_the_valid_ones():
    """An architecture is a file of its folder; another name is refused."""
    assert "convolutional" in architecture_names()
    with pytest.raises(UsageError, match=r"no architecture 'telepathic'; expected one of: .*convolutional"):
        build(Recipe(architecture="telepathic", size=16))


def test_unknown_option_lists_the_valid_ones():
    """An option that the architecture does not take is refused before anything is built."""
    with pytest.raises(UsageError, match="no option 'gears'; expected one of: filters, halvings, spread"):
        build(Recipe(architecture="convolutional", size=16, options={"gears": 5}))


def test_cosine_code_is_spread_out_and_of_unit_length():
    """Features that all point the same way leave training with unit length and cosines around zero."""
    features = keras.Input((6,))
    model = keras.Model(features, code(features, dimension=16, distance="cosine"))
    narrow = 10 + np.random.default_rng(0).standard_normal((64, 6)).astype(np.float32)
    vectors = np.asarray(model(narrow, training=True))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-4)
    cosines = (vectors @ vectors.T)[~np.eye(64, dtype=bool)]
    assert abs(cosines.mean()) < 0.05


def test_euclidean_code_keeps_its_length():
    """Without cosine nothing is normalised."""
    features = keras.Input((6,))
    model = keras.Model(features, code(features, dimension=16, distance="euclidean"))
    ones = np.ones((1, 6), np.float32)
    np.testing.assert_allclose(np.asarray(model(2 * ones)), 2 * np.asarray(model(ones)), rtol=1e-5)


def test_default_recipe_builds_one_model_from_photos_to_photos():
    """The fitted model takes uint8 photos and gives float32 photos in [0, 1] of the same shape."""
    model = build(recipe.load("convolutional")).as_one_model()
    photos = np.zeros((2, 64, 64, 3), np.uint8)
    decoded = np.asarray(model(photos))
    assert (decoded.shape, decoded.dtype) == (photos.shape, np.float32)
    assert decoded.min() >= 0
    assert decoded.max() <= 1
