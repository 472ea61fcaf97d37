"""Losses beside the reconstruction."""

import keras
import numpy as np
import pytest

from training.fitting.losses import Sampling, Spread, sampled


def loss_of(vectors, *, weight=0.5, training=True) -> float:
    """The loss that the layer adds for these vectors, which it must pass on unchanged."""
    layer = Spread(weight)
    np.testing.assert_array_equal(np.asarray(layer(vectors, training=training)), vectors)
    return float(sum(layer.losses))


def test_spread_is_the_mean_squared_cosine():
    """Photos that are all alike cost the whole weight, orthogonal ones only themselves, opposite ones as much."""
    alike = np.tile(np.eye(1, 4, dtype=np.float32), (4, 1))
    assert loss_of(alike) == pytest.approx(0.5)
    assert loss_of(alike * [[1], [-1], [1], [-1]]) == pytest.approx(0.5)
    assert loss_of(np.eye(4, dtype=np.float32)) == pytest.approx(0.5 / 4)


def test_spread_costs_in_training_only():
    """Validation losses are the reconstruction alone, and a weight of 0 costs nothing."""
    assert loss_of(np.eye(4, dtype=np.float32), training=False) == 0
    assert loss_of(np.eye(4, dtype=np.float32), weight=0.0) == 0


def test_sampling_passes_the_mean_on_outside_of_training():
    """An encoder gives the same vector each time, and its loss is that of the reconstruction alone."""
    layer = Sampling(1.0)
    mean = np.array([[1.0, -2.0]], np.float32)
    np.testing.assert_array_equal(np.asarray(layer([mean, mean])), mean)
    assert layer.losses == []


def test_samples_have_the_mean_and_the_variance_of_the_heads():
    """Of many draws both can be measured."""
    mean, log_variance = np.full((20_000, 1), 3.0, np.float32), np.full((20_000, 1), np.log(4.0), np.float32)
    drawn = np.asarray(Sampling(1.0)([mean, log_variance], training=True))
    assert drawn.mean() == pytest.approx(3.0, abs=0.1)
    assert drawn.var() == pytest.approx(4.0, abs=0.2)


@pytest.mark.parametrize(
    ("mean", "variance", "expected"),
    [(0.0, 1.0, 0.0), (2.0, 1.0, 2.0), (0.0, np.e, 0.5 * (np.e - 2)), (1.0, 1 / np.e, 0.5 * (1 + 1 / np.e))],
)
def test_divergence_is_that_from_the_standard_normal_distribution(mean, variance, expected):
    """By the closed form, for one component; none for the standard normal distribution itself."""
    layer = Sampling(2.0)
    layer([np.full((3, 1), mean, np.float32), np.full((3, 1), np.log(variance), np.float32)], training=True)
    assert float(sum(layer.losses)) == pytest.approx(2 * expected, abs=1e-6)


def test_beta_weighs_the_divergence_per_pixel():
    """A mean over pixels and a sum over components are in proportion at any size."""
    features = keras.Input((3,))
    model = keras.Model(features, sampled(features, dimension=2, beta=4.0, pixels=8))
    assert model.output_shape == (None, 2)
    assert model.get_layer("sampling").weight == 0.5
