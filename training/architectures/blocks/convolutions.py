"""Halves maps, doubles them, and ends them in photos: the blocks of convolutional architectures."""

import keras

from foundation.checks import require_choice
from foundation.errors import UsageError
from training.architectures.blocks.ends import MOMENTUM

POOLINGS = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}
DECODERS = ("upsampling", "transpose")


def normalised(layer: keras.layers.Layer, features):
    """Applies a layer without bias, normalises the batch, and cuts off below zero."""
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=MOMENTUM)(layer(features)))


def pooled(features, filters: list[int], *, pooling: str = "max", repeats: int = 1):
    """Halves the side once per width in `filters`, rounding up: convolutions, then max or average pooling."""
    require_choice("pooling", pooling, POOLINGS)
    for width in filters:
        for _ in range(repeats):
            features = keras.layers.Conv2D(width, 3, padding="same", activation="relu")(features)
        # Without padding an odd side would lose its last row, and with it what was done to the border of a photo.
        features = POOLINGS[pooling](2, padding="same")(features)
    return features


def to_map(features, *, side: int, filters: int):
    """Restores a map [batch, side, side, filters] from the code by one dense layer."""
    features = keras.layers.Dense(side * side * filters, activation="relu")(features)
    return keras.layers.Reshape((side, side, filters))(features)


def enlarged(features, filters: list[int], *, decoder: str, repeats: int = 1):
    """Doubles the side once per width in `filters`: convolutions and up-sampling, or transpose convolutions.

    The batches are normalised here, and not on the way to the code, where it would double the time: without it the
    decoder of a map of 4 × 4 learned to paint every digit black, and stayed there.
    """
    require_choice("decoder", decoder, DECODERS)
    for width in filters:
        if decoder == "transpose":
            doubled = keras.layers.Conv2DTranspose(width, 3, strides=2, padding="same", use_bias=False)
            features = normalised(doubled, features)
        # A transpose convolution is one of the repeats; up-sampling learns nothing and counts for none.
        for _ in range(repeats if decoder == "upsampling" else repeats - 1):
            features = normalised(keras.layers.Conv2D(width, 3, padding="same", use_bias=False), features)
        if decoder == "upsampling":
            features = keras.layers.UpSampling2D(2)(features)
    return features


def side_after(size: int, halvings: int) -> int:
    """Returns the side of a map after that many halvings, each rounded up; raises UsageError below two pixels."""
    if halvings and size <= 2 ** (halvings - 1):
        raise UsageError(
            f"size {size} is too small for {halvings} halvings; expected at least {2 ** (halvings - 1) + 1}: raise "
            "size, or halve less often"
        )
    return -(-size // 2**halvings)


def to_photos(features, *, size: int, channels: int):
    """Ends a decoder: one convolution to float32 [batch, size, size, channels] in [0, 1], cut to size."""
    # Half precision cannot hold the 255 steps of a photo near 1: the last layer stays in single precision.
    last = keras.layers.Conv2D(channels, 3, padding="same", activation="sigmoid", dtype="float32", name="photos")
    return cropped(last(features), size)


def cropped(photos, size: int):
    """Cuts off what the halvings of a size that they do not divide had rounded up."""
    excess = photos.shape[1] - size
    return keras.layers.Cropping2D(((0, excess), (0, excess)), dtype="float32")(photos) if excess else photos
