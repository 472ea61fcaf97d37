"""Losses beside the reconstruction."""

import numpy as np
import pytest

from training.fitting.losses import Spread


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
