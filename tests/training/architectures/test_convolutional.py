"""The convolutional autoencoder: shapes at any size, channels and distance."""

import keras
import numpy as np
import pytest

from foundation.errors import UsageError
from training.architectures import convolutional


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (28, 1), (33, 3)])
@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_any_size_comes_back_in_its_shape(size, channels, distance):
    """Sizes that the halvings do not divide are padded inside, and decoded at their own size."""
    model = convolutional.build(size=size, channels=channels, dimension=12, distance=distance, filters=4, halvings=3)
    photos = np.random.default_rng(0).integers(0, 256, (3, size, size, channels), np.uint8)
    vectors = np.asarray(model.encoder(photos))
    assert (vectors.shape, vectors.dtype) == ((3, 12), np.float32)
    if distance == "cosine":
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-4)
    decoded = np.asarray(model.decoder(vectors))
    assert (decoded.shape, decoded.dtype) == (photos.shape, np.float32)


def test_size_too_small_for_its_halvings_is_refused():
    """A photo that would shrink below one pixel is a usage error with the remedy."""
    with pytest.raises(UsageError, match=r"size is 8; expected at least 16: raise size or lower halvings, which are 5"):
        convolutional.build(size=8, channels=3, dimension=4, distance="cosine", halvings=5)


def test_answers_are_single_precision_under_mixed_precision():
    """Whatever precision computes inside, vectors and photos come out as float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = convolutional.build(size=8, channels=3, dimension=4, distance="cosine", filters=4, halvings=1)
    finally:
        keras.config.set_dtype_policy(before)
    vectors = model.encoder(np.zeros((1, 8, 8, 3), np.uint8))
    assert keras.backend.standardize_dtype(vectors.dtype) == "float32"
    assert keras.backend.standardize_dtype(model.decoder(vectors).dtype) == "float32"
    assert model.encoder.layers[2].compute_dtype == "float16"
