"""Builds autoencoders of convolutions and pooling to the code, and up-sampling or transpose convolutions back.

With or without fully connected layers around the code. Without them the code is the last map itself, laid out flat:
its dimension is then a multiple of that map's pixels. The shapes go back to Masci et al., Stacked Convolutional
Auto-Encoders (2011).
"""

import keras

from foundation.checks import require_range
from foundation.errors import UsageError
from training.architecture import Autoencoder
from training.architectures.blocks.convolutions import enlarged, pooled, side_after, to_map, to_photos
from training.architectures.blocks.ends import code, compared_by, decoder_input, photo_input
from training.architectures.blocks.widths import widths

# The deepest networks of plain convolutions repeat them four times (VGG-19): with some hundred layers Keras' own
# recursion ends.
MAX_REPEATS = 8
# A dropout of 1 passes nothing on, and one close to it hardly anything.
MAX_DROPOUT = 0.99


def build(
    *,
    size: int,
    channels: int,
    dimension: int,
    distance: str,
    filters: str = "16-32",
    repeats: int = 1,
    pooling: str = "max",
    decoder: str = "upsampling",
    fully_connected: bool = True,
    dropout: float = 0.0,
) -> Autoencoder:
    """Builds the autoencoder for square photos of any size.

    `filters` names the width of each halving, `repeats` the convolutions before it; `pooling` is max or average,
    `decoder` upsampling or transpose; `dropout` is the share of features dropped before the code. Raises UsageError on
    a size or a dimension that the halvings cannot give.
    """
    require_range("dropout", dropout, 0, MAX_DROPOUT)
    require_range("repeats", repeats, 1, MAX_REPEATS)
    layers = widths("filters", filters, at_least=1)
    side = side_after(size, len(layers))
    photos, features = photo_input(size, channels)
    features = pooled(features, layers, pooling=pooling, repeats=repeats)
    features = keras.layers.Dropout(dropout)(features)
    vectors, restored = decoder_input(dimension=dimension, distance=distance)
    if fully_connected:
        codes = code(keras.layers.Flatten()(features), dimension=dimension, distance=distance)
        restored = to_map(restored, side=side, filters=layers[-1])
    else:
        depth = _depth(dimension, side)
        code_map = keras.layers.Conv2D(depth, 3, padding="same", dtype="float32", name="code")(features)
        codes = compared_by(distance, keras.layers.Flatten()(code_map))
        restored = keras.layers.Reshape((side, side, depth))(restored)
    restored = enlarged(restored, layers[::-1], decoder=decoder, repeats=repeats)
    return Autoencoder(
        encoder=keras.Model(photos, codes, name="encoder"),
        decoder=keras.Model(vectors, to_photos(restored, size=size, channels=channels), name="decoder"),
    )


def _depth(dimension: int, side: int) -> int:
    """Returns the channels of a map of side × side that holds the code."""
    pixels = side * side
    depth, rest = divmod(dimension, pixels)
    if rest or not depth:
        nearest = pixels * max(1, depth)
        raise UsageError(
            f"dimension {dimension} does not fill a map of {side} × {side}; expected a multiple of {pixels}, such as "
            f"{nearest} or {nearest + pixels}, or fully_connected=true"
        )
    return depth
