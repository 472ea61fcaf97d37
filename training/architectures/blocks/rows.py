"""Turns photos into sequences of rows, from the top down, and back: what recurrent architectures read and write."""

import keras

# Recurrent weights begin orthogonal (Keras' default), and making them so takes a time that grows with the cube of the
# width: two seconds for 1,024 units, two minutes for 4,096.
MAX_UNITS = 4_096


def as_rows(features):
    """Returns the rows of photos [batch, size, size, channels]: [batch, size, size × channels]."""
    _, height, width, channels = features.shape
    return keras.layers.Reshape((height, width * channels), name="rows")(features)


def rows_to_photos(states, *, channels: int):
    """Ends a decoder: one state per row, [batch, size, units], to float32 [batch, size, size, channels] in [0, 1]."""
    size = states.shape[1]
    # Half precision cannot hold the 255 steps of a photo near 1: the last layer stays in single precision.
    rows = keras.layers.Dense(size * channels, activation="sigmoid", dtype="float32")(states)
    return keras.layers.Reshape((size, size, channels), dtype="float32", name="photos")(rows)
