"""Builds a fully connected autoencoder: pixels in one row are narrowed layer by layer to the code, and widened again.

Hinton and Salakhutdinov, Reducing the Dimensionality of Data with Neural Networks (2006), without the pre-training.
"""

import math

import keras

from training.architecture import Autoencoder
from training.architectures.blocks.ends import code, decoder_input, photo_input
from training.architectures.blocks.widths import widths


def build(*, size: int, channels: int, dimension: int, distance: str, hidden: str = "512-256") -> Autoencoder:
    """Builds the autoencoder for square photos of any size.

    `hidden` names the widths between photo and code, `hidden=` (empty) none. Raises UsageError if it cannot be read.
    """
    layers = widths("hidden", hidden)
    photos, features = photo_input(size, channels)
    features = _stacked(keras.layers.Flatten()(features), layers)
    vectors, restored = decoder_input(dimension=dimension, distance=distance)
    restored = _stacked(restored, layers[::-1])
    shape = (size, size, channels)
    # Half precision cannot hold the 255 steps of a photo near 1: the last layer stays in single precision.
    pixels = keras.layers.Dense(math.prod(shape), activation="sigmoid", dtype="float32")(restored)
    return Autoencoder(
        encoder=keras.Model(photos, code(features, dimension=dimension, distance=distance), name="encoder"),
        decoder=keras.Model(vectors, keras.layers.Reshape(shape, dtype="float32")(pixels), name="decoder"),
    )


def _stacked(features, layers: list[int]):
    for width in layers:
        features = keras.layers.Dense(width, activation="relu")(features)
    return features
