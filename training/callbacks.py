"""What happens between the epochs of a training: stop on a non-finite loss, keep the best weights, report."""

import errno
import json
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import keras

from training.errors import TrainingDivergedError

OnEpoch = Callable[[int, int, float, float], None]


class StopOnNonFiniteLoss(keras.callbacks.Callback):
    """Raises TrainingDivergedError at the first batch whose loss is infinite or not a number."""

    def __init__(self, *, learning_rate: float):
        super().__init__()
        self.learning_rate = learning_rate
        self.epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        """Remembers the epoch for the message."""
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Checks the running mean of the loss: once not finite, it stays so."""
        self._check("loss", logs)

    def on_epoch_end(self, epoch, logs=None):
        """Checks the validation loss before anything of this epoch is saved."""
        self._check("val_loss", logs)

    def _check(self, name: str, logs: dict | None) -> None:
        value = float((logs or {}).get(name, 0.0))
        if not math.isfinite(value):
            raise TrainingDivergedError(
                f"training diverged in epoch {self.epoch + 1}: {name} is {value}, expected a finite number; "
                f"lower --learning-rate (it was {self.learning_rate:g})"
            )


class RequireSpace(keras.callbacks.Callback):
    """Raises OSError (ENOSPC) before the checkpoints of an epoch are written, if they would not fit.

    HDF5 meets a full disk with a page of traceback on stderr, and leaves a torn file.
    """

    # The best weights, the checkpoint, and the copy of the checkpoint before.
    CHECKPOINTS = 3

    def __init__(self, directory: Path):
        super().__init__()
        self.directory = directory

    def on_epoch_end(self, epoch, logs=None):
        """Compares the free space with the size of weights and optimizer."""
        variables = [*self.model.variables, *self.model.optimizer.variables]
        needed_bytes = self.CHECKPOINTS * sum(4 * math.prod(variable.shape) for variable in variables)
        if shutil.disk_usage(self.directory).free < needed_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.directory))


class KeepBest(keras.callbacks.Callback):
    """Keeps the weights of the epoch with the lowest validation loss on disk, and stops when it no longer falls.

    `keras.callbacks.EarlyStopping` forgets its best epoch when a training is interrupted; this one resumes.
    """

    def __init__(self, directory: Path, *, patience: int):
        super().__init__()
        self.weights = directory / "best.weights.h5"
        self.record = directory / "best.json"
        self.patience = patience
        self.best: dict = {"val_loss": math.inf}
        if self.record.exists():
            self.best = json.loads(self.record.read_text())

    def on_epoch_end(self, epoch, logs=None):
        """Saves a better epoch; `logs` must hold `loss` and `val_loss`."""
        if logs["val_loss"] < self.best["val_loss"]:
            self.best = {
                "epoch": epoch + 1,
                "loss": float(logs["loss"]),
                "val_loss": float(logs["val_loss"]),
            }
            # Under another name first: an interruption leaves the best of before, whole.
            partial = self.weights.with_name("partial.weights.h5")
            self.model.save_weights(partial, overwrite=True)
            os.replace(partial, self.weights)
            partial_record = self.record.with_name("partial.json")
            partial_record.write_text(json.dumps(self.best))
            os.replace(partial_record, self.record)
        elif self.patience and epoch + 1 - self.best["epoch"] >= self.patience:
            self.model.stop_training = True


class ReportEpoch(keras.callbacks.Callback):
    """Calls `on_epoch(epoch, epochs, loss, val_loss)`, epochs counted from 1."""

    def __init__(self, on_epoch: OnEpoch, *, epochs: int):
        super().__init__()
        self.on_epoch = on_epoch
        self.epochs = epochs

    def on_epoch_end(self, epoch, logs=None):
        """Reports the epoch that ended."""
        self.on_epoch(epoch + 1, self.epochs, float(logs["loss"]), float(logs["val_loss"]))


class SetEpoch(keras.callbacks.Callback):
    """Tells the batches which epoch begins: their order depends on it, also after a resume."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        """Hands the number of the epoch on."""
        self.batches.epoch = epoch
