"""The ends that architectures share: the code, and what the decoder begins with."""

import keras
import numpy as np

from training.architectures.blocks.ends import code, decoder_input


def test_cosine_code_is_spread_out_and_of_unit_length():
    """Features that all point the same way leave training with unit length and cosines around zero."""
    features = keras.Input((6,))
    model = keras.Model(features, code(features, dimension=16, distance="cosine"))
    narrow = 10 + np.random.default_rng(0).standard_normal((64, 6)).astype(np.float32)
    vectors = np.asarray(model(narrow, training=True))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-4)
    cosines = (vectors @ vectors.T)[~np.eye(64, dtype=bool)]
    assert abs(cosines.mean()) < 0.05


def test_euclidean_code_keeps_its_length():
    """Without cosine nothing is normalised."""
    features = keras.Input((6,))
    model = keras.Model(features, code(features, dimension=16, distance="euclidean"))
    ones = np.ones((1, 6), np.float32)
    np.testing.assert_allclose(np.asarray(model(2 * ones)), 2 * np.asarray(model(ones)), rtol=1e-5)


def test_the_decoder_begins_at_unit_variance():
    """Components of unit-length vectors are far below 1, where layers would begin too small; others stay."""
    for distance, expected in (("cosine", 1.0), ("euclidean", 0.25)):
        model = keras.Model(*decoder_input(dimension=16, distance=distance))
        np.testing.assert_allclose(model(np.full((1, 16), 0.25, np.float32)), expected)
