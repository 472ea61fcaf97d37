"""Builds a recurrent variational autoencoder: a GRU reads the rows of the photo, another writes them from a sample.

Between them two parallel dense heads give mean and standard deviation (as in Bowman et al., Generating Sentences from
a Continuous Space, 2015, arXiv 1511.06349, there for words). The exported encoder gives the mean.
"""

import keras

from foundation.checks import require_range
from training.architecture import Autoencoder
from training.architectures.blocks.ends import compared_by, decoder_input, photo_input
from training.architectures.blocks.rows import MAX_UNITS, as_rows, rows_to_photos
from training.fitting.losses import sampled


def build(
    *, size: int, channels: int, dimension: int, distance: str, units: int = 128, beta: float = 1.0
) -> Autoencoder:
    """Builds the autoencoder for square photos of any size.

    `units` is the width of both GRUs; `beta` is the weight of the divergence from the standard normal distribution, 1
    for the evidence lower bound.
    """
    require_range("units", units, 1, MAX_UNITS)
    photos, features = photo_input(size, channels)
    features = keras.layers.GRU(units)(as_rows(features))
    codes = compared_by(distance, sampled(features, dimension=dimension, beta=beta, pixels=size * size * channels))
    vectors, restored = decoder_input(dimension=dimension, distance=distance)
    restored = keras.layers.GRU(units, return_sequences=True)(keras.layers.RepeatVector(size)(restored))
    return Autoencoder(
        encoder=keras.Model(photos, codes, name="encoder"),
        decoder=keras.Model(vectors, rows_to_photos(restored, channels=channels), name="decoder"),
    )
