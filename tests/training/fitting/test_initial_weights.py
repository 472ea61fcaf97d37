"""Weights to begin with: those of an encoder of the store, checked, and of the same architecture."""

from pathlib import Path

import numpy as np
import pytest

from foundation.errors import ArtifactRefusedError, InputNotFoundError, UsageError
from foundation.store.encoders import golden_photos, list_encoders, read_spec
from foundation.store.files import Store
from training import objective, recipe
from training import train as training
from training.fitting import initial_weights
from training.fitting.initial_weights import assign, read_initial_weights
from training.recipe import Recipe
from training.train import TrainOptions


@pytest.fixture
def trained(store) -> tuple[Store, str, Recipe]:
    """A store, the encoder in it, and the recipe that it was trained by."""
    (encoder_id,) = list_encoders(Store(store))
    # As in the fixture `encoder_store`.
    settings = recipe.load("convolutional").override(size=16, dimension=16, filters=8, halvings=2)
    return Store(store), encoder_id, settings


def test_models_answer_as_the_encoder_did(trained):
    """Encoder and decoder begin where the training ended that is continued."""
    store, encoder_id, settings = trained
    models = objective.load(settings.objective).build(settings)
    weights = read_initial_weights(store, encoder_id, settings)
    assert set(weights) == {"", "decoder"}
    assign(models, weights)
    expected = read_spec(store, encoder_id)[0].golden_vectors
    np.testing.assert_allclose(models.encoder(golden_photos(16, 3)), expected, atol=1e-4)


def test_another_objective_takes_the_encoder_alone(trained):
    """What has no decoder leaves it."""
    store, encoder_id, settings = trained
    contrastive = settings.override(objective="contrastive", corruption="none")
    assert set(read_initial_weights(store, encoder_id, contrastive)) == {""}


@pytest.mark.parametrize("change", [{"filters": 4}, {"dimension": 8}, {"size": 32}])
def test_another_architecture_is_refused(trained, change):
    """Weights that do not fit are told from those that do by their shapes."""
    store, encoder_id, settings = trained
    with pytest.raises(UsageError, match=r"the encoder to begin with has .* expected one of the same architecture"):
        read_initial_weights(store, encoder_id, settings.override(**change))


def test_weights_that_fit_and_answer_otherwise_are_refused(trained, monkeypatch):
    """Maximum and average pooling have the same weights: the answers to the golden photos tell such options apart."""
    store, encoder_id, settings = trained
    read = initial_weights._read
    monkeypatch.setattr(initial_weights, "_read", lambda *place: [array + 0.1 for array in read(*place)])
    with pytest.raises(UsageError, match=r"answer otherwise in it; expected the distance and the options"):
        read_initial_weights(store, encoder_id, settings)


def test_an_encoder_of_another_size_is_continued_where_the_architecture_allows(photo_folder, tmp_path):
    """A residual encoder that was trained on small squares begins a training on larger ones, and its id is recorded."""

    def train(size: int, **changes) -> str:
        overrides = {"filters": "4-6", "repeats": "1", "epochs": 1, "dimension": 8, "size": size, "batch_size": 4}
        options = TrainOptions(
            source=str(photo_folder),
            store=tmp_path / "store",
            work_dir=tmp_path / "work",
            recipe="photo_v1",
            overrides=overrides,
            **changes,
        )
        return training.train(options)

    first = train(16)
    spec = read_spec(Store(tmp_path / "store"), train(24, init=first))[0]
    assert (spec.size, spec.training["init"]) == (24, first)


def test_a_training_begins_with_the_weights(trained, options, monkeypatch):
    """With a learning rate of nothing, what is trained is what was read."""
    store, encoder_id, settings = trained
    kept = []
    monkeypatch.setattr(training, "export", lambda models, **_options: kept.append(models.encoder))
    overrides = {"size": 16, "dimension": 16, "filters": 8, "halvings": 2, "epochs": 1, "learning_rate": 1e-30}
    training.train(options(store=Path(store.local_root), overrides=overrides, init=encoder_id))
    before = objective.load(settings.objective).build(settings)
    assign(before, read_initial_weights(store, encoder_id, settings))
    # Batch normalisation moves its statistics even then, and they are not trained.
    for expected, variable in zip(before.encoder.trainable_variables, kept[0].trainable_variables, strict=True):
        np.testing.assert_allclose(variable, expected, atol=1e-6)


def test_a_damaged_or_missing_encoder_is_refused(trained):
    """Its files are compared with their digests before they are read."""
    store, encoder_id, settings = trained
    with pytest.raises(InputNotFoundError, match="no encoder 'nobody'"):
        read_initial_weights(store, "nobody", settings)
    (data,) = Path(store.local_root, "encoders", encoder_id, "variables").glob("variables.data*")
    data.write_bytes(data.read_bytes()[:-1] + b"x")
    with pytest.raises(ArtifactRefusedError, match=r"variables\.data.* is damaged"):
        read_initial_weights(store, encoder_id, settings)
