"""Export: written, reloaded, compared, and published only if equal."""

from dataclasses import replace

import numpy as np
import pytest

from foundation.encoder import DECODER, load
from foundation.errors import ArtifactRefusedError, TrainingDivergedError
from foundation.store.encoders import LITE_MODEL, list_encoders
from foundation.store.files import Store
from tests.conftest import TINY
from training import export, lite_model, recipe
from training.objectives.reconstruction import build


@pytest.fixture(scope="module", params=["cosine", "euclidean"])
def tiny(request):
    """(recipe, untrained models) for grey photos, for both distances."""
    chosen = recipe.load("convolutional").override(**TINY, channels=1, distance=request.param)
    return chosen, build(chosen)


def publish(tiny, folder) -> tuple[Store, str]:
    """Exports the models into a new store."""
    chosen, model = tiny
    store = Store(folder, create=True)
    return store, export.export(model, store=store, name="tiny", recipe=chosen, training={"seed": 0})


def test_the_loaded_encoder_answers_as_the_one_in_memory(tiny, tmp_path):
    """Encoder and decoder come back as they were, for any batch size, with a full description."""
    chosen, model = tiny
    store, encoder_id = publish(tiny, tmp_path)
    loaded = load(store, encoder_id)
    photos = np.random.default_rng(3).integers(0, 256, (5, 17, 17, 1), np.uint8)
    vectors = loaded.encode(photos)
    np.testing.assert_allclose(vectors, np.asarray(model.encoder(photos)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(loaded.decode(vectors), np.asarray(model.heads[DECODER](vectors)), atol=1e-5)
    spec = loaded.spec
    assert (spec.size, spec.channels, spec.dimension) == (17, 1, 8)
    assert (spec.distance, spec.recipe, spec.training) == (chosen.distance, "tiny", {"seed": 0})
    assert {"saved_model.pb", "decoder/saved_model.pb", LITE_MODEL} <= set(spec.files)
    assert spec.no_lite_model is None
    assert {"keras", "ai-edge-litert"} <= set(spec.versions)


def test_an_encoder_that_exists_already_is_left_alone(tiny, tmp_path, monkeypatch):
    """Publishing the very same files twice is no error and replaces nothing."""
    store, encoder_id = publish(tiny, tmp_path)
    before = store.read(f"encoders/{encoder_id}/encoder.json")
    monkeypatch.setattr(export, "encoder_id_for", lambda *_: encoder_id)
    assert publish(tiny, tmp_path)[1] == encoder_id
    assert store.read(f"encoders/{encoder_id}/encoder.json") == before


def answer_wrongly(monkeypatch, module, loader: str, wrongly) -> None:
    """Makes the models that a loader loads give `wrongly(path, outputs)` in place of their outputs."""
    load_rightly = getattr(module, loader)

    def load_wrongly(path):
        model = load_rightly(path)
        return lambda inputs: wrongly(path, model(inputs))

    monkeypatch.setattr(module, loader, load_wrongly)


@pytest.mark.parametrize("factor", [1.01, np.nan])
def test_another_answer_after_reloading_publishes_nothing(tiny, tmp_path, monkeypatch, factor):
    """A written model that answers otherwise is refused, and the store stays empty."""
    answer_wrongly(monkeypatch, export, "load_saved_model", lambda _, vectors: vectors * np.float32(factor))
    with pytest.raises(ArtifactRefusedError, match=r"the exported encoder differs by .*nothing was published"):
        publish(tiny, tmp_path)
    assert list_encoders(Store(tmp_path)) == []


def test_an_architecture_that_forgets_unit_length_is_refused(tmp_path):
    """An encoder for cosine has to give vectors of unit length, whoever wrote it."""
    chosen = recipe.load("convolutional").override(**TINY, distance="euclidean")
    forgetful = build(chosen)
    with pytest.raises(ArtifactRefusedError, match="expected 1 for the distance 'cosine'"):
        publish((chosen.override(distance="cosine"), forgetful), tmp_path)
    assert list_encoders(Store(tmp_path)) == []


def test_an_encoder_without_heads_is_published_alone(tiny, tmp_path):
    """An objective that needs no decoder exports none, and what is loaded says that there is none."""
    chosen, models = tiny
    store, encoder_id = publish((chosen, replace(models, heads={})), tmp_path)
    loaded = load(store, encoder_id)
    assert loaded.encode(np.zeros((1, 17, 17, 1), np.uint8)).shape == (1, 8)
    assert not [name for name in loaded.spec.files if name.startswith(DECODER)]


def test_a_head_that_answers_otherwise_publishes_nothing(tiny, tmp_path, monkeypatch):
    """Every model that is written is compared, not the encoder alone; the message says which one it was."""

    def wrong_head(directory, outputs):
        return outputs + np.float32(directory.name == DECODER)

    answer_wrongly(monkeypatch, export, "load_saved_model", wrong_head)
    with pytest.raises(ArtifactRefusedError, match=f"the exported {DECODER} differs by "):
        publish(tiny, tmp_path)
    assert list_encoders(Store(tmp_path)) == []


def test_an_encoder_that_is_not_finite_is_refused(tiny, tmp_path):
    """Weights may be lost in the very last step, after the last loss was measured."""
    chosen, _ = tiny
    models = build(chosen)
    models.encoder.set_weights([weight * np.nan for weight in models.encoder.get_weights()])
    with pytest.raises(TrainingDivergedError, match=r"diverged in its last steps: .*; lower --learning-rate"):
        publish((chosen, models), tmp_path)


@pytest.mark.parametrize("factor", [1.02, np.nan])
def test_a_lite_model_that_answers_otherwise_publishes_nothing(tiny, tmp_path, monkeypatch, factor):
    """Both forms of an encoder give the same vectors, or neither is there."""
    answer_wrongly(monkeypatch, lite_model, "load_lite_model", lambda _, vectors: vectors * np.float32(factor))
    with pytest.raises(
        ArtifactRefusedError, match=r"LiteRT form differs from its SavedModel by .* at most 1%; nothing"
    ):
        publish(tiny, tmp_path)
    assert list_encoders(Store(tmp_path)) == []


def test_an_encoder_that_cannot_be_converted_is_published_as_saved_model(tmp_path, capfd):
    """A recurrent one has no form for CPUs: its description says why; the converter's pages are not shown."""
    chosen = recipe.load("recurrent").override(size=17, dimension=8, units=4)
    store, encoder_id = publish((chosen, build(chosen)), tmp_path)
    loaded = load(store, encoder_id)
    assert loaded.encode(np.zeros((1, *loaded.spec.photo_shape), np.uint8)).shape == (1, 8)
    assert loaded.spec.no_lite_model == "LiteRT has no operation for this use of TensorListReserve"
    assert LITE_MODEL not in loaded.spec.files
    assert "TensorListReserve" not in capfd.readouterr().err


def test_a_lite_model_that_does_not_run_is_left_out(tiny, tmp_path, monkeypatch):
    """A converter may write what its library cannot run: that costs the form for CPUs, and not the training."""

    def fail(_path):
        raise RuntimeError("Encountered unresolved custom op")

    monkeypatch.setattr(lite_model, "load_lite_model", fail)
    store, encoder_id = publish(tiny, tmp_path)
    spec = load(store, encoder_id).spec
    assert (LITE_MODEL in spec.files, "RuntimeError" in spec.no_lite_model) == (False, True)
