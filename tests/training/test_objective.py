"""Objectives: found by file name, each with what a training and an export ask of it."""

import numpy as np
import pytest

from foundation.errors import UsageError
from training import objective, recipe


@pytest.mark.parametrize("name", recipe.objective_names())
def test_every_objective_can_be_fitted(name):
    """Its model learns from its batches by its loss, and its encoder gives vectors as the recipe says."""
    settings = recipe.load("convolutional").override(size=8, dimension=4, filters=4, halvings=1, corruption="none")
    settings = settings.override(objective=name)
    chosen = objective.load(name)
    models = chosen.build(settings)
    models.fitted.compile("adam", loss=models.loss)
    side = chosen.cached_size(settings)
    photos = np.random.default_rng(0).integers(0, 256, (12, side, side, 3), np.uint8)
    training = chosen.batches(settings, photos, np.arange(8), seed=0, training=True)
    validation = chosen.batches(settings, photos, np.arange(8, 12), seed=0, training=False)
    history = models.fitted.fit(training, validation_data=validation, epochs=2, verbose=0).history
    assert np.isfinite([*history["loss"], *history["val_loss"]]).all()
    assert models.encoder.output_shape == (None, 4)
    assert all(head.input_shape == (None, 4) for head in models.heads.values())


def test_another_objective_is_refused():
    """The valid ones are the files of the folder."""
    with pytest.raises(UsageError, match="objective is 'telepathy'; expected one of: contrastive, reconstruction"):
        recipe.load("convolutional").override(objective="telepathy")
