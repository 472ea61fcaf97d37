"""The blocks that convolutional architectures are made of: halve a map, double it, and end in photos."""

import keras

from foundation.errors import UsageError
from training.objectives.reconstruction import MOMENTUM

POOLINGS = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}
DECODERS = ("upsampling", "transpose")


def normalised(layer: keras.layers.Layer, features):
    """Applies a layer without bias, normalises the batch, and cuts off below zero."""
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=MOMENTUM)(layer(features)))


def pooled(features, filters: list[int], *, pooling: str = "max", repeats: int = 1):
    """Halves the side once per width in `filters`, rounding up: convolutions, then max or average pooling."""
    if pooling not in POOLINGS:
        raise UsageError(f"pooling is {pooling!r}; expected one of: {', '.join(POOLINGS)}")
    for width in filters:
        for _ in range(repeats):
            features = keras.layers.Conv2D(width, 3, padding="same", activation="relu")(features)
        features = POOLINGS[pooling](2, padding="same")(features)
    return features


def enlarged(features, filters: list[int], *, decoder: str, repeats: int = 1):
    """Doubles the side once per width in `filters`: convolutions and up-sampling, or transpose convolutions.

    The batches are normalised here, and not on the way to the code, where it would double the time: without it the
    decoder of a map of 4 × 4 learned to paint every digit black, and stayed there.
    """
    if decoder not in DECODERS:
        raise UsageError(f"decoder is {decoder!r}; expected one of: {', '.join(DECODERS)}")
    for width in filters:
        if decoder == "transpose":
            doubled = keras.layers.Conv2DTranspose(width, 3, strides=2, padding="same", use_bias=False)
            features = normalised(doubled, features)
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
