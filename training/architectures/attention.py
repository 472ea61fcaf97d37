"""Builds a recurrent autoencoder with attention: the code holds a few slots, and each row looks up what it needs.

Attention over the encoder's own states, as translation uses it, would carry the photo around the code. Here the
encoder's attention sums its states up in a few slots (Lin et al., A Structured Self-attentive Sentence Embedding, 2017,
arXiv 1703.03130), the code holds the slots, and each step of the decoder attends to the slots restored from the code
(additive attention of Bahdanau et al., 2014, arXiv 1409.0473).
"""

import keras

from foundation.checks import require_range
from training.architecture import Autoencoder
from training.architectures.blocks.ends import code, decoder_input, photo_input
from training.architectures.blocks.rows import MAX_UNITS, as_rows, rows_to_photos

# The largest photos have so many rows: with more slots than rows nothing would be summed up.
MAX_SLOTS = 1_024


def build(*, size: int, channels: int, dimension: int, distance: str, units: int = 128, slots: int = 4) -> Autoencoder:
    """Builds the autoencoder for square photos of any size; `units` is the width of both GRUs and of each slot."""
    require_range("units", units, 1, MAX_UNITS)
    require_range("slots", slots, 1, MAX_SLOTS)
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
    # Over the steps, not over the slots: each slot shares its attention out among the rows.
    weights = keras.layers.Softmax(axis=1)(scores)
    return keras.layers.Dot(axes=1)([weights, states])
