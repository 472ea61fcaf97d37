"""Builds a convolutional variational autoencoder: two heads give mean and deviation, the decoder takes a sample.

Kingma and Welling, Auto-Encoding Variational Bayes (2013, arXiv 1312.6114). The exported encoder gives the mean.
"""

import keras

from training.architecture import Autoencoder
from training.architectures.blocks.convolutions import enlarged, pooled, side_after, to_map, to_photos
from training.architectures.blocks.ends import compared_by, decoder_input, photo_input
from training.architectures.blocks.widths import widths
from training.fitting.losses import sampled


def build(
    *,
    size: int,
    channels: int,
    dimension: int,
    distance: str,
    filters: str = "16-32",
    beta: float = 1.0,
) -> Autoencoder:
    """Builds the autoencoder for square photos of any size.

    `filters` names the width of each halving; `beta` is the weight of the divergence from the standard normal
    distribution, 1 for the evidence lower bound. Raises UsageError on a size that the halvings cannot give.
    """
    layers = widths("filters", filters, at_least=1)
    side = side_after(size, len(layers))
    photos, features = photo_input(size, channels)
    features = keras.layers.Flatten()(pooled(features, layers))
    codes = compared_by(distance, sampled(features, dimension=dimension, beta=beta, pixels=size * size * channels))
    vectors, restored = decoder_input(dimension=dimension, distance=distance)
    restored = enlarged(to_map(restored, side=side, filters=layers[-1]), layers[::-1], decoder="transpose")
    return Autoencoder(
        encoder=keras.Model(photos, codes, name="encoder"),
        decoder=keras.Model(vectors, to_photos(restored, size=size, channels=channels), name="decoder"),
    )
