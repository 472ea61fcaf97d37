"""Recurrent autoencoder with attention: a few slots of the code, each looked up from the rows that it needs.

Attention over the encoder's own states, as translation uses it, would carry the photo around the code. Here the
encoder's attention sums its states up in a few slots (Lin et al., A Structured Self-attentive Sentence Embedding, 2017,
arXiv 1703.03130), the code holds the slots, and each step of the decoder attends to the slots restored from the code
(additive attention of Bahdanau et al., 2014, arXiv 1409.0473).
"""

import keras

from training.architectures.blocks.rows import as_rows, rows_to_photos
from training.objectives.reconstruction import Autoencoder, code, decoder_input, photo_input


def build(*, size: int, channels: int, dimension: int, distance: str, units: int = 128, slots: int = 4) -> Autoencoder:
    """Builds the autoencoder for square photos of any size; `units` is the width of both GRUs and of each slot."""
    photos, features = photo_input(size, channels)
    states = keras.layers.GRU(units, return_sequences=True)(as_rows(features))
    summed_up = keras.layers.Flatten()(_attended(states, slots=slots))
    vectors, restored = decoder_input(dimension=dimension, distance=distance)
    memory = keras.layers.Reshape((slots, units))(keras.layers.Dense(slots * units, activation="tanh")(restored))
    written = keras.layers.GRU(units, return_sequences=True)(keras.layers.RepeatVector(size)(restored))
    looked_up = keras.layers.AdditiveAttention()([written, memory])
    restored = keras.layers.Concatenate()([written, looked_up])
    return Autoencoder(
        encoder=keras.Model(photos, code(summed_up, dimension=dimension, distance=distance), name="encoder"),
        decoder=keras.Model(vectors, rows_to_photos(restored, channels=channels), name="decoder"),
    )


def _attended(states, *, slots: int):
    """Returns one weighted mean of the states [batch, steps, units] per slot: [batch, slots, units]."""
    scores = keras.layers.Dense(slots)(keras.layers.Dense(states.shape[-1], activation="tanh")(states))
    weights = keras.layers.Softmax(axis=1)(scores)
    return keras.layers.Dot(axes=1)([weights, states])
