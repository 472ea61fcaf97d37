"""Backbones: models of `keras.applications` as encoders, with weights from a local file alone."""

import keras
import numpy as np
import pytest

from foundation.errors import InputNotFoundError, UsageError
from training.architecture import build
from training.recipe import Recipe


def make(*, size: int = 32, channels: int = 3, model: str = "MobileNetV2", weights: str = "") -> keras.Model:
    """An encoder on the smallest of the older models."""
    options = {"model": model, "weights": weights}
    settings = Recipe(architecture="backbone", size=size, channels=channels, dimension=6, options=options)
    return build(settings).encoder


@pytest.mark.parametrize("channels", [1, 3])
def test_a_backbone_gives_vectors_of_unit_length(channels):
    """Grey photos are given to it as three like channels."""
    photos = np.random.default_rng(0).integers(0, 256, (2, 32, 32, channels), np.uint8)
    vectors = np.asarray(make(channels=channels)(photos))
    assert (vectors.shape, vectors.dtype) == ((2, 6), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_photos_are_prepared_as_the_model_was_trained_with():
    """MobileNetV2 takes values from -1 to 1: the encoder gives what its layers give of these."""
    encoder = make()
    photos = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    expected = keras.applications.mobilenet_v2.preprocess_input(photos.astype(np.float32))
    assert -1 <= expected.min() < expected.max() <= 1
    (trunk,) = (number for number, layer in enumerate(encoder.layers) if isinstance(layer, keras.Model))
    for layer in encoder.layers[trunk:]:
        expected = layer(expected)
    np.testing.assert_allclose(encoder(photos), expected, atol=1e-5)


def test_weights_come_from_a_local_file(tmp_path):
    """Two encoders with the file have the same trunk; without it each begins at random."""
    trunk = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3))
    file = tmp_path / "own.weights.h5"
    trunk.save_weights(file)
    loaded = make(weights=str(file)).get_layer(trunk.name).get_weights()
    for expected, weight in zip(trunk.get_weights(), loaded, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_what_cannot_be_built_is_refused(tmp_path):
    """An unknown model lists the known ones; a size, a missing file and other weights are named."""
    with pytest.raises(UsageError, match=r"no backbone 'ResNet51' in keras\.applications; expected one of: .*ResNet50"):
        make(model="ResNet51")
    with pytest.raises(UsageError, match=r"'VGG16' cannot be built for size 16: .*at least 32"):
        make(model="VGG16", size=16)
    with pytest.raises(InputNotFoundError, match=r"no file .*none\.h5 with the weights of MobileNetV2"):
        make(weights=str(tmp_path / "none.h5"))
    other = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save_weights(other)
    with pytest.raises(UsageError, match=r"does not hold the weights of MobileNetV2 without its classifier"):
        make(weights=str(other))
