"""Checkpoints: whenever a training is killed, what lies on disk is whole and belongs together."""

import json

import keras
import numpy as np
import pytest

from training.fitting.checkpoints import Checkpoints, State


@pytest.fixture
def model() -> keras.Model:
    """One dense layer, with the optimizer that fits it."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("adam", "mean_squared_error")
    model.optimizer.build(model.trainable_variables)
    return model


def save(directory, model, val_losses) -> Checkpoints:
    """Saves an epoch for each loss: in epoch n every weight is n, and the optimizer has made n steps."""
    checkpoints = Checkpoints(directory)
    for epoch, val_loss in enumerate(val_losses, start=checkpoints.state.epoch + 1):
        model.set_weights([np.full(weight.shape, epoch) for weight in model.weights])
        model.optimizer.iterations.assign(epoch)
        checkpoints.save(model, epoch=epoch, loss=1.0, val_loss=val_loss)
    return checkpoints


def test_the_best_and_the_last_epoch_are_kept(tmp_path, model):
    """Of five epochs two files remain, also when the training was interrupted between them."""
    save(tmp_path, model, [3.0, 1.0])
    state = save(tmp_path, model, [4.0, 2.0, 2.0]).state
    assert (state.epoch, state.best_epoch, state.loss, state.val_loss) == (5, 2, 1.0, 1.0)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"state.json", "epoch-2.weights.h5", "epoch-5.weights.h5"}
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.state == state
    fresh = keras.models.clone_model(model)
    fresh.compile("adam", "mean_squared_error")
    checkpoints.restore(fresh)
    assert {float(value) for weight in fresh.get_weights() for value in weight.flat} == {5.0}
    assert int(fresh.optimizer.iterations) == 5
    assert len(fresh.optimizer.variables) == len(model.optimizer.variables)
    fresh.load_weights(checkpoints.best_weights)
    assert float(fresh.get_weights()[0][0, 0]) == 2


def test_a_training_that_has_not_begun_has_nothing_to_restore(tmp_path, model):
    """Without a file the model stays as it was built."""
    before = model.get_weights()
    checkpoints = Checkpoints(tmp_path / "none")
    checkpoints.restore(model)
    assert (checkpoints.state, checkpoints.damage) == (State(), None)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_killed_while_it_saves_it_is_as_after_the_epoch_before(tmp_path, model, monkeypatch):
    """The state is what counts: files that it does not name are no part of it."""

    def die(*_):
        raise KeyboardInterrupt

    before = save(tmp_path, model, [1.0]).state
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", die)
        with pytest.raises(KeyboardInterrupt):
            save(tmp_path, model, [0.5])
    assert Checkpoints(tmp_path).state == before
    (tmp_path / "epoch-2.weights.h5").write_bytes(b"half of it")
    assert save(tmp_path, model, [0.5]).state.best_epoch == 2
    assert Checkpoints(tmp_path).damage is None


@pytest.mark.parametrize("name", ["state.json", "epoch-1.weights.h5", "epoch-2.weights.h5"])
@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"[1]", None])
def test_torn_files_are_noticed_and_not_used(tmp_path, model, name, damage):
    """After a crash of the machine a file may be short, empty or gone: the training begins anew."""
    save(tmp_path, model, [1.0, 2.0])
    path = tmp_path / name
    if damage:
        path.write_bytes(damage(path.read_bytes()))
    elif name == "state.json":
        path.write_text(json.dumps({"epochs": 3}))
    else:
        path.unlink()
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.state == State()
    assert checkpoints.damage
    checkpoints.clear()
    assert not tmp_path.exists()


@pytest.mark.parametrize(
    ("epoch", "best_epoch", "patience", "final"),
    [(10, 9, 0, True), (9, 1, 0, False), (5, 3, 2, True), (5, 4, 2, False), (0, 0, 1, False), (0, 0, 0, False)],
)
def test_a_training_ends_after_its_epochs_or_its_patience(epoch, best_epoch, patience, final):
    """Of ten epochs; one that has not begun never ends."""
    assert State(epoch=epoch, best_epoch=best_epoch).is_final(epochs=10, patience=patience) is final
