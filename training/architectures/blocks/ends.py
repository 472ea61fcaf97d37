"""Builds the ends that all architectures share: the photos that go in, the vectors that come out, and the way back."""

import keras

from training.architectures.blocks.generalised_mean import GeneralisedMean
from training.fitting.losses import Spread

# A training has few steps per epoch on a small archive: with 0.99 the moving statistics would lag behind the weights.
MOMENTUM = 0.9


def photo_input(size: int, channels: int):
    """Returns (photos, features): an encoder's input, uint8 [batch, size, size, channels], and the same in [0, 1]."""
    photos = keras.Input((size, size, channels), dtype="uint8", name="photos")
    return photos, keras.layers.Rescaling(1 / 255)(photos)


def code(features, *, dimension: int, distance: str, spread: float = 0.0):
    """Maps features [batch, n] to the code by one dense layer: float32 [batch, dimension], see `compared_by`."""
    vectors = keras.layers.Dense(dimension, dtype="float32", name="code")(features)
    return compared_by(distance, vectors, spread=spread)


def compared_by(distance: str, vectors, *, spread: float = 0.0):
    """Ends an encoder: float32 [batch, dimension], of unit length for `cosine`, as they are for `euclidean`.

    Without the standardisation all codes lie in a narrow cone and every cosine is near 1. The decoder learns from the
    unit-length vectors themselves, so that it takes exactly what the encoder gives. `spread` is the weight of the loss
    that draws the photos of a batch apart; it has no meaning for `euclidean`.
    """
    if distance == "euclidean":
        return keras.layers.Activation("linear", dtype="float32", name="vectors")(vectors)
    standardised = keras.layers.BatchNormalization(
        center=False, scale=False, momentum=MOMENTUM, dtype="float32", name="standardised"
    )(vectors)
    unit_length = keras.layers.UnitNormalization(dtype="float32", name="unit_length")(standardised)
    return Spread(spread, dtype="float32", name="spread")(unit_length)


def projected(features, *, dimension: int, distance: str):
    """Ends an encoder that has no decoder: pools a map [batch, height, width, n] and projects it to the vectors.

    Generalised mean, one dense layer, unit length for `cosine`, as the encoders of image copy detection end (Pizzi et
    al., 2022, arXiv 2202.10261). Gives float32 [batch, dimension].
    """
    # The sum of many powers overflows half precision: all of this stays in single precision.
    vectors = keras.layers.Dense(dimension, dtype="float32", name="code")(GeneralisedMean(dtype="float32")(features))
    return (
        keras.layers.UnitNormalization(dtype="float32", name="unit_length")(vectors)
        if distance == "cosine"
        else vectors
    )


def decoder_input(*, dimension: int, distance: str):
    """Returns (vectors, features): the decoder's input, float32 [batch, dimension], and the same at unit variance."""
    vectors = keras.Input((dimension,), dtype="float32", name="vectors")
    # A component of a unit-length vector is about 1/√dimension; initialisers expect about 1.
    scale = dimension**0.5 if distance == "cosine" else 1.0
    return vectors, keras.layers.Rescaling(scale, name="scaled")(vectors)
