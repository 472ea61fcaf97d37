"""Builds an encoder of residual convolutions for copy detection: generalised-mean pooling, one projection, no decoder.

He et al., Deep Residual Learning for Image Recognition (2016), in their basic form and much narrower. Plain
convolutions, because on a CPU depthwise ones took three times as long to train at half of the arithmetic.
"""

import keras

from foundation.errors import UsageError
from training.architecture import Architecture
from training.architectures.blocks.convolutions import normalised, side_after
from training.architectures.blocks.ends import MOMENTUM, photo_input, projected
from training.architectures.blocks.widths import widths


def build(
    *,
    size: int,
    channels: int,
    dimension: int,
    distance: str,
    filters: str = "24-48-96-160",
    repeats: str = "1-1-2",
) -> Architecture:
    """Builds the encoder for square photos of any size.

    `filters` names the width of the first convolution and of each stage after it, `repeats` the residual blocks of each
    stage; all of them halve the side. Raises UsageError on a size that is too small for that.
    """
    first, *stages = widths("filters", filters, at_least=2)
    counts = widths("repeats", repeats, at_least=1)
    if len(counts) != len(stages):
        raise UsageError(
            f"filters is {filters!r} and repeats {repeats!r}; expected a number of repeats for each width but the "
            f"first, which are {len(stages)}"
        )
    side_after(size, 1 + len(stages))
    photos, features = photo_input(size, channels)
    features = normalised(keras.layers.Conv2D(first, 5, strides=2, padding="same", use_bias=False), features)
    for width, count in zip(stages, counts, strict=True):
        for block in range(count):
            features = _residual(features, width, strides=1 if block else 2)
    vectors = projected(features, dimension=dimension, distance=distance)
    return Architecture(keras.Model(photos, vectors, name="encoder"))


def _residual(features, width: int, *, strides: int):
    """Adds what two convolutions make of the features to the features themselves."""
    shortcut = features
    if strides > 1 or features.shape[-1] != width:
        # Averaged first: a convolution of one pixel with a stride would skip three pixels of four.
        shortcut = keras.layers.AveragePooling2D(strides, padding="same")(features)
        shortcut = _scaled(keras.layers.Conv2D(width, 1, use_bias=False), shortcut)
    features = normalised(keras.layers.Conv2D(width, 3, strides=strides, padding="same", use_bias=False), features)
    features = _scaled(keras.layers.Conv2D(width, 3, padding="same", use_bias=False), features)
    return keras.layers.ReLU()(keras.layers.Add()([shortcut, features]))


def _scaled(layer: keras.layers.Layer, features):
    return keras.layers.BatchNormalization(momentum=MOMENTUM)(layer(features))
