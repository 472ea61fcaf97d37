"""Between the epochs: checkpoints, and the end of a lost training."""

import math
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from foundation.errors import TrainingDivergedError
from training.fitting.callbacks import KeepCheckpoints, RequireSpace, SetEpoch, ShowEpochs, StopOnNonFiniteLoss
from training.fitting.checkpoints import Checkpoints, State
from training.fitting.display import Display


class FakeModel:
    """Records what a callback asks of a model."""

    def __init__(self):
        self.stop_training = False
        self.weights = "initial"

    def save_weights(self, path, overwrite):
        """Writes a file that stands for the weights."""
        path.write_text(self.weights)


def keep_checkpoints(directory, losses, *, patience) -> FakeModel:
    """A model whose training of ten epochs has had these validation losses so far."""
    callback = KeepCheckpoints(Checkpoints(directory), patience=patience)
    callback.set_params({"epochs": 10})
    callback.set_model(FakeModel())
    for epoch, loss in enumerate(losses, start=callback.checkpoints.state.epoch):
        callback.on_epoch_end(epoch, {"loss": 1.0, "val_loss": loss})
    return callback.model


def test_training_stops_after_the_patience(tmp_path):
    """So many epochs without a better one end the training, also if it was interrupted between them."""
    assert not keep_checkpoints(tmp_path, [1.0, 2.0], patience=2).stop_training
    assert keep_checkpoints(tmp_path, [3.0], patience=2).stop_training


def test_without_patience_training_goes_on(tmp_path):
    """Only the last epoch ends it."""
    assert not keep_checkpoints(tmp_path, [1.0, *[2.0] * 8], patience=0).stop_training


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
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=3_999))
    with pytest.raises(OSError, match="No space left on device"):
        callback.on_epoch_end(0, {})
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=4_000))
    callback.on_epoch_end(0, {})


def test_random_layers_draw_by_the_epoch():
    """A training that resumes in an epoch drops what it would have dropped in it; another epoch drops otherwise."""
    model = keras.Sequential([keras.Input((50,)), keras.layers.Dropout(0.5)])

    def draw(epoch: int) -> np.ndarray:
        callback.on_epoch_begin(epoch)
        return np.asarray(model(np.ones((1, 50), np.float32), training=True))

    callback = SetEpoch(SimpleNamespace(epoch=0))
    callback.set_model(model)
    callback.on_train_begin()
    first, second = draw(0), draw(1)
    assert callback.batches.epoch == 1
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(second, draw(1))
    np.testing.assert_array_equal(first, draw(0))


class Events(Display):
    """Keeps what a training shows, in its order."""

    def __init__(self):
        self.shown: list[tuple] = []

    def start(self, directory, *, epoch, epochs, batches, damage=None):
        """Keeps the start."""
        self.shown.append(("start", directory.name, epoch, epochs, batches, damage))

    def show_batch(self, epoch, batch, loss):
        """Keeps a batch."""
        self.shown.append(("batch", epoch, batch, loss))

    def show_epoch(self, epoch, loss, val_loss):
        """Keeps an epoch."""
        self.shown.append(("epoch", epoch, loss, val_loss))

    def end(self, *, epoch, best_epoch, val_loss):
        """Keeps the end."""
        self.shown.append(("end", epoch, best_epoch, val_loss))


def run_one_epoch(display: Display, directory) -> None:
    """Tells a display of the fourth of ten epochs, of two batches, after three that were trained before."""
    checkpoints = Checkpoints(directory / "work" / "checkpoints")
    checkpoints.state = State(epoch=3, best_epoch=2, val_loss=0.5)
    callback = ShowEpochs(display, checkpoints)
    callback.set_params({"epochs": 10, "steps": 2})
    callback.on_train_begin()
    callback.on_epoch_begin(3)
    for batch, loss in enumerate((0.9, 0.8)):
        callback.on_train_batch_end(batch, {"loss": loss})
    callback.on_epoch_end(3, {"loss": 0.8, "val_loss": 0.7})
    callback.on_train_end()


def test_a_display_hears_of_everything_counted_from_one(tmp_path):
    """Where the training begins, each batch, each epoch, and which was best."""
    events = Events()
    run_one_epoch(events, tmp_path)
    assert events.shown == [
        ("start", "work", 3, 10, 2, None),
        ("batch", 4, 1, 0.9),
        ("batch", 4, 2, 0.8),
        ("epoch", 4, 0.8, 0.7),
        ("end", 3, 2, 0.5),
    ]


def test_a_display_need_not_listen(tmp_path):
    """Whoever wants to hear of one event defines one method; the others do nothing."""
    with Display() as display:
        run_one_epoch(display, tmp_path)
