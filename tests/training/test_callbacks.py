"""Between the epochs: the best weights survive an interruption, a lost training stops."""

import math
from types import SimpleNamespace

import pytest

from training.callbacks import KeepBest, RequireSpace, StopOnNonFiniteLoss
from training.errors import TrainingDivergedError


class FakeModel:
    """Records what a callback asks of a model."""

    def __init__(self):
        self.stop_training = False
        self.saved = 0

    def save_weights(self, path, overwrite):
        """Writes a file that says how often it was written."""
        self.saved += 1
        path.write_text(str(self.saved))


def keep_best(directory, losses, *, patience, first_epoch=0):
    """A callback that has heard of these validation losses, and its model."""
    callback = KeepBest(directory, patience=patience)
    callback.set_model(FakeModel())
    for epoch, loss in enumerate(losses, start=first_epoch):
        callback.on_epoch_end(epoch, {"loss": 1.0, "val_loss": loss})
    return callback


def test_the_best_epoch_is_kept(tmp_path):
    """Weights are written when the validation loss falls, and only then."""
    callback = keep_best(tmp_path, [3.0, 1.0, 2.0], patience=0)
    assert callback.best == {"epoch": 2, "loss": 1.0, "val_loss": 1.0}
    assert callback.model.saved == 2
    assert not callback.model.stop_training


def test_training_stops_after_the_patience(tmp_path):
    """So many epochs without a better one end the training."""
    assert not keep_best(tmp_path / "", [1.0, 2.0], patience=2).model.stop_training
    assert keep_best(tmp_path, [2.0, 3.0], patience=2, first_epoch=1).model.stop_training


def test_the_best_epoch_outlives_an_interruption(tmp_path):
    """A new callback over the same directory knows the best of before."""
    keep_best(tmp_path, [3.0, 1.0], patience=0)
    resumed = keep_best(tmp_path, [2.0], patience=0, first_epoch=2)
    assert resumed.best["epoch"] == 2
    assert resumed.model.saved == 0


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_non_finite_loss_names_epoch_loss_and_remedy(value):
    """The message says where it happened and what to change."""
    callback = StopOnNonFiniteLoss(learning_rate=0.5)
    callback.on_epoch_begin(6)
    callback.on_train_batch_end(0, {"loss": 1.0})
    with pytest.raises(TrainingDivergedError, match=rf"epoch 7: loss is {value}.*lower --learning-rate .*0\.5"):
        callback.on_train_batch_end(1, {"loss": value})
    with pytest.raises(TrainingDivergedError, match="val_loss"):
        callback.on_epoch_end(6, {"loss": 1.0, "val_loss": value})


def test_checkpoints_are_not_begun_without_room_for_them(tmp_path, monkeypatch):
    """The space that is needed follows from the variables; too little raises the system's own error."""
    variable = SimpleNamespace(shape=(10, 25))
    callback = RequireSpace(tmp_path)
    callback.set_model(SimpleNamespace(variables=[variable], optimizer=SimpleNamespace(variables=[variable])))
    callback.on_epoch_end(0, {})
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=5_999))
    with pytest.raises(OSError, match="No space left on device"):
        callback.on_epoch_end(0, {})
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=6_000))
    callback.on_epoch_end(0, {})
