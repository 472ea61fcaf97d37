"""Keeps the weights after the last whole epoch, from which a training resumes, and those of its best one."""

import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras

from foundation.files import replace_file
from foundation.store.artifact import digest_of

STATE = "state.json"


@dataclass(frozen=True, kw_only=True)
class State:
    """After which epoch (from 1; 0: none yet), which one was best, and the SHA-256 of the files with the weights."""

    epoch: int = 0
    best_epoch: int = 0
    loss: float = math.inf
    val_loss: float = math.inf
    files: Mapping[str, str] = field(default_factory=dict)

    def is_final(self, *, epochs: int, patience: int) -> bool:
        """Returns whether training ends here: after `epochs`, or `patience` (0: any number) without a better one."""
        return self.epoch >= epochs or 0 < patience <= self.epoch - self.best_epoch


class Checkpoints:
    """The checkpoints of one training: `state` describes files that are whole, whenever the training is killed.

    A state whose files are not as it says, as after a crash of the machine, is not used; `damage` then says why.
    `keras.callbacks.BackupAndRestore` writes over the file that it would have to restore, and knows no best epoch.
    """

    def __init__(self, directory: Path):
        self.directory = directory
        self.state = State()
        self.damage: str | None = None
        try:
            self.state = _read(directory)
        except (ValueError, TypeError, AttributeError, OSError) as error:
            self.damage = str(error)

    @property
    def best_weights(self) -> Path:
        """The file with the weights of the best epoch."""
        return self.directory / _weights(self.state.best_epoch)

    def clear(self) -> None:
        """Forgets everything, so that the training begins anew."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.state = State()

    def restore(self, model: keras.Model) -> None:
        """Puts weights and optimizer as they were after the last whole epoch, if there was one."""
        if self.state.epoch:
            # An optimizer has no variables to load its moments into before it knows the weights.
            model.optimizer.build(model.trainable_variables)
            model.load_weights(self.directory / _weights(self.state.epoch))

    def save(self, model: keras.Model, *, epoch: int, loss: float, val_loss: float) -> None:
        """Keeps weights and optimizer after an epoch, and those of the best one; removes what is neither."""
        self.directory.mkdir(exist_ok=True)
        better = val_loss < self.state.val_loss
        best = (epoch, loss, val_loss) if better else (self.state.best_epoch, self.state.loss, self.state.val_loss)
        weights = self.directory / _weights(epoch)
        model.save_weights(weights, overwrite=True)
        # A rename survives a crash of the machine, and what the file holds may not: the digest tells.
        digests = {**self.state.files, weights.name: digest_of(weights.read_bytes())}
        kept = {name: digests[name] for name in (_weights(best[0]), weights.name)}
        self.state = State(epoch=epoch, best_epoch=best[0], loss=best[1], val_loss=best[2], files=kept)
        # An interruption leaves the state of before, whose files are still there.
        replace_file(self.directory / STATE, json.dumps(asdict(self.state)).encode())
        for file in self.directory.glob(_weights("*")):
            if file.name not in kept:
                file.unlink()


def _weights(epoch: int | str) -> str:
    return f"epoch-{epoch}.weights.h5"


def _read(directory: Path) -> State:
    """Returns the state that lies there, or that of a training which has not begun; raises ValueError on damage."""
    if not (directory / STATE).exists():
        return State()
    state = State(**json.loads((directory / STATE).read_text()))
    for name, expected in state.files.items():
        if digest_of((directory / name).read_bytes()) != expected:
            raise ValueError(f"{name} is not as it was written")
    return state
