"""Acts between the batches and epochs of a training: stops a lost one, keeps checkpoints, shows where it stands."""

import errno
import math
import os
import shutil
from pathlib import Path

import keras
import numpy as np

from foundation.errors import TrainingDivergedError
from training.fitting.checkpoints import Checkpoints
from training.fitting.display import Display


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
        # Batch normalisation computes otherwise in validation: one loss may be finite and the other not.
        self._check("val_loss", logs)

    def _check(self, name: str, logs: dict | None) -> None:
        value = float((logs or {}).get(name, 0.0))
        if not math.isfinite(value):
            raise TrainingDivergedError(
                f"training diverged in epoch {self.epoch + 1}: {name} is {value}, expected a finite number; "
                f"lower --learning-rate (it was {self.learning_rate:g})"
            )


class RequireSpace(keras.callbacks.Callback):
    """Raises OSError (ENOSPC) before the checkpoint of an epoch is written, if it would not fit.

    HDF5 meets a full disk with a page of traceback on stderr, and leaves a torn file.
    """

    # The checkpoint, and as much again for what else is written meanwhile.
    CHECKPOINTS = 2

    def __init__(self, directory: Path):
        super().__init__()
        self.directory = directory

    def on_epoch_end(self, epoch, logs=None):
        """Compares the free space with the size of weights and optimizer."""
        variables = [*self.model.variables, *self.model.optimizer.variables]
        # Whatever precision computes, weights and moments are stored in four bytes each.
        needed_bytes = self.CHECKPOINTS * sum(4 * math.prod(variable.shape) for variable in variables)
        if shutil.disk_usage(self.directory).free < needed_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.directory))


class KeepCheckpoints(keras.callbacks.Callback):
    """Saves a checkpoint after each epoch; ends the training after `patience` epochs without a better one (0: never).

    `keras.callbacks.EarlyStopping` forgets its best epoch when a training is interrupted; this one resumes.
    """

    def __init__(self, checkpoints: Checkpoints, *, patience: int):
        super().__init__()
        self.checkpoints = checkpoints
        self.patience = patience

    def on_epoch_end(self, epoch, logs=None):
        """Saves the epoch; `logs` must hold `loss` and `val_loss`."""
        self.checkpoints.save(self.model, epoch=epoch + 1, loss=float(logs["loss"]), val_loss=float(logs["val_loss"]))
        if self.checkpoints.state.is_final(epochs=self.params["epochs"], patience=self.patience):
            # After the checkpoint: run again, a training that has ended is then known to have ended.
            self.model.stop_training = True


class ShowEpochs(keras.callbacks.Callback):
    """Shows each batch and each epoch, where the training begins, and which epoch was best."""

    def __init__(self, display: Display, checkpoints: Checkpoints):
        super().__init__()
        self.display = display
        self.checkpoints = checkpoints

    def on_train_begin(self, logs=None):
        """Shows after which epoch the training resumes."""
        self.display.start(
            self.checkpoints.directory.parent,
            epoch=self.checkpoints.state.epoch,
            epochs=self.params["epochs"],
            batches=self.params["steps"],
            damage=self.checkpoints.damage,
        )

    def on_train_end(self, logs=None):
        """Shows which epoch was best."""
        state = self.checkpoints.state
        self.display.end(epoch=state.epoch, best_epoch=state.best_epoch, val_loss=state.val_loss)

    def on_epoch_begin(self, epoch, logs=None):
        """Remembers which epoch the batches belong to."""
        self.epoch = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        """Shows the loss so far."""
        self.display.show_batch(self.epoch, batch + 1, float(logs["loss"]))

    def on_epoch_end(self, epoch, logs=None):
        """Shows both losses of the epoch."""
        self.display.show_epoch(epoch + 1, float(logs["loss"]), float(logs["val_loss"]))


class SetEpoch(keras.callbacks.Callback):
    """Tells batches and random layers which epoch begins: what they draw depends on it, also after a resume.

    Checkpoints do not hold the state of random layers such as Dropout: resumed, they would draw as in the first epoch.
    """

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_train_begin(self, logs=None):
        """Finds the random layers, and the seeds they were built with."""
        # Keras keeps no list of them: a random layer is known by the state of its generator.
        states = [variable for variable in self.model.variables if variable.name == "seed_generator_state"]
        self.seeds = [(state, int(keras.ops.convert_to_numpy(state)[0])) for state in states]

    def on_epoch_begin(self, epoch, logs=None):
        """Hands the number of the epoch on."""
        self.batches.epoch = epoch
        for state, seed in self.seeds:
            state.assign([int(np.random.default_rng((seed, epoch)).integers(2**31)), 0])
