"""Photos as sequences of rows, and back."""

import keras
import numpy as np

from training.architectures.blocks.rows import as_rows, rows_to_photos


def test_a_step_is_a_row_from_the_top_down():
    """The pixels of a row lie side by side, with their channels."""
    photos = np.arange(2 * 4 * 4 * 3, dtype=np.float32).reshape(2, 4, 4, 3)
    rows = np.asarray(as_rows(photos))
    assert rows.shape == (2, 4, 12)
    np.testing.assert_array_equal(rows[1, 2], photos[1, 2].ravel())


def test_states_become_photos_between_0_and_1():
    """One state per row; single precision whatever computes inside."""
    states = keras.Input((5, 7))
    model = keras.Model(states, rows_to_photos(states, channels=3))
    photos = np.asarray(model(np.random.default_rng(0).standard_normal((2, 5, 7)).astype(np.float32)))
    assert (photos.shape, photos.dtype) == ((2, 5, 5, 3), np.float32)
    assert 0 <= photos.min() <= photos.max() <= 1
