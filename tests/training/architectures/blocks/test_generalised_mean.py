"""Generalised-mean pooling: between the mean and the maximum, learnt, and safe in training."""

import keras
import numpy as np
import pytest

from training.architectures.blocks.generalised_mean import GeneralisedMean

FEATURES = np.random.default_rng(0).uniform(0, 2, (2, 4, 5, 3)).astype(np.float32)


@pytest.mark.parametrize("power", [1.0, 3.0, 6.0])
def test_it_is_the_root_of_the_mean_of_powers(power):
    """Against NumPy; a power of 1 gives the mean, a large one tends to the maximum."""
    layer = GeneralisedMean()
    layer.build(FEATURES.shape)
    layer.power.assign(power)
    expected = np.mean(FEATURES**power, axis=(1, 2)) ** (1 / power)
    np.testing.assert_allclose(layer(FEATURES), expected, rtol=1e-5)


def test_a_power_below_one_is_not_used():
    """Training cannot drive it to where the result would be another mean, or none."""
    layer = GeneralisedMean()
    layer.build(FEATURES.shape)
    layer.power.assign(-2.0)
    np.testing.assert_allclose(layer(FEATURES), FEATURES.mean(axis=(1, 2)), rtol=1e-5)


def test_the_power_is_learnt():
    """Fitted to the maximum, it grows from 3; features of zero do not make it infinite."""
    inputs = keras.Input(FEATURES.shape[1:])
    model = keras.Model(inputs, GeneralisedMean()(inputs))
    model.compile(keras.optimizers.Adam(0.1), "mean_squared_error")
    features = np.where(FEATURES < 0.3, 0, FEATURES)
    model.fit(features, features.max(axis=(1, 2)), epochs=20, verbose=0)
    (power,) = model.get_weights()
    assert 3.5 < power < 100
