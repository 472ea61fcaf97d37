"""The residual encoder: its vectors at any size, its size in numbers, and what it refuses."""

import keras
import numpy as np
import pytest

from foundation.errors import UsageError
from training import recipe
from training.architecture import build
from training.recipe import Recipe


def make(*, size: int = 17, channels: int = 3, distance="cosine", **options) -> keras.Model:
    """A small encoder."""
    options = {"filters": "4-6-8", "repeats": "1-2", **options}
    settings = Recipe(
        architecture="residual", size=size, channels=channels, dimension=6, distance=distance, options=options
    )
    return build(settings).encoder


def photos(size: int = 17, channels: int = 3) -> np.ndarray:
    """Random photos."""
    return np.random.default_rng(0).integers(0, 256, (3, size, size, channels), np.uint8)


@pytest.mark.parametrize(("size", "channels"), [(9, 3), (16, 1), (17, 3)])
def test_vectors_have_unit_length_at_any_size(size, channels):
    """Grey and colour, sizes that halve evenly or not."""
    vectors = np.asarray(make(size=size, channels=channels)(photos(size, channels)))
    assert (vectors.shape, vectors.dtype) == ((3, 6), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_euclidean_vectors_keep_their_length():
    """Only the cosine compares directions alone."""
    vectors = np.asarray(make(distance="euclidean")(photos()))
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() > 1e-3


def test_weights_do_not_depend_on_the_size():
    """An encoder that was trained on small squares can be trained on with larger ones."""
    shapes = [[weight.shape for weight in make(size=size).get_weights()] for size in (16, 40)]
    assert shapes[0] == shapes[1]


def test_mixed_precision_gives_single_precision():
    """Whatever precision computes inside, vectors come out as float32, of unit length."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        encoder = make()
    finally:
        keras.config.set_dtype_policy(before)
    vectors = np.asarray(encoder(photos()))
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    assert "float16" in {layer.compute_dtype for layer in encoder.layers}


def test_the_shipped_encoder_is_small():
    """It travels with the package: at most 1.2 million numbers, in 128 dimensions."""
    settings = recipe.load("photo_v1")
    encoder = build(settings).encoder
    assert encoder.count_params() < 1_200_000
    assert encoder.output_shape == (None, 128)
    assert encoder.input_shape == (None, 112, 112, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"repeats": "1-2-3"}, "filters is '4-6-8' and repeats '1-2-3'; expected .* for each width but the first"),
        ({"filters": "4", "repeats": "1"}, "filters is '4'; expected"),
        ({"size": 8, "filters": "4-4-4-4-4", "repeats": "1-1-1-1"}, "size 8 is too small for 5 halvings"),
        ({"repeats": "x-1"}, "repeats is 'x-1'; expected"),
    ],
)
def test_impossible_options_are_refused(changes, message):
    """An option that cannot be built ends with what was received and what is expected."""
    with pytest.raises(UsageError, match=message):
        make(**changes)
