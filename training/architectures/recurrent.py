"""Builds a recurrent autoencoder: an LSTM reads the rows of the photo, and another writes them from the repeated code.

Srivastava et al., Unsupervised Learning of Video Representations using LSTMs (2015, arXiv 1502.04681), with rows for
frames.
"""

import keras

from foundation.checks import require_range
from training.architecture import Autoencoder
from training.architectures.blocks.ends import code, decoder_input, photo_input
from training.architectures.blocks.rows import MAX_UNITS, as_rows, rows_to_photos


def build(*, size: int, channels: int, dimension: int, distance: str, units: int = 128) -> Autoencoder:
    """Builds the autoencoder for square photos of any size; `units` is the width of both LSTMs."""
    require_range("units", units, 1, MAX_UNITS)
    photos, features = photo_input(size, channels)
    features = keras.layers.LSTM(units)(as_rows(features))
    vectors, restored = decoder_input(dimension=dimension, distance=distance)
    # Each step gets the whole code and not the row before: a decoder that sees that row learns to copy it.
    restored = keras.layers.LSTM(units, return_sequences=True)(keras.layers.RepeatVector(size)(restored))
    return Autoencoder(
        encoder=keras.Model(photos, code(features, dimension=dimension, distance=distance), name="encoder"),
        decoder=keras.Model(vectors, rows_to_photos(restored, channels=channels), name="decoder"),
    )
