"""Trains one entry of the study, or finds that it was trained before: what is done once is never done again."""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import keras
from pydantic import TypeAdapter, ValidationError

from evaluation.study.photos import Photos
from evaluation.study.plan import SEED, Dataset, Entry
from evaluation.study.workplace import Workplace
from foundation.files import replace_file
from foundation.store import artifact
from foundation.store.encoders import list_encoders
from foundation.store.files import Store
from training import objective
from training.fitting.display import Display
from training.recipe import Recipe
from training.train import TrainOptions, train


@dataclass(frozen=True, kw_only=True)
class Training:
    """A finished training: its trained parameters, and by epoch the loss and the validation loss."""

    __pydantic_config__: ClassVar = artifact.STRICT

    encoder_id: str
    parameters: int
    history: list[list[float]]


def train_once(
    entry: Entry,
    dataset: Dataset,
    photos: Photos,
    workplace: Workplace,
    *,
    make_line: Callable[[], Display] | None = None,
) -> Training:
    """Returns the training of that entry; trains, and shows it on a line, if its record or its encoder is missing."""
    settings = entry.settings(dataset)
    # The key is what is trained on what, not only the names: a changed recipe or other photos are another training,
    # and so is another Keras, which may train otherwise from the same seed.
    described = [settings.identity(), photos.digest, SEED, keras.__version__]
    key = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:12]
    record = workplace.trainings / f"{dataset.name}-{entry.name}-{key}.json"
    epochs = record.with_suffix(".epochs.jsonl")
    trained = _read(record, workplace.store)
    if trained is None:
        keras.backend.clear_session()  # without it, fifty models in one process fill the memory
        record.parent.mkdir(parents=True, exist_ok=True)
        encoder_id = train(
            TrainOptions(
                source=dataset.training,
                store=workplace.store,
                recipe=entry.recipe,
                overrides=entry.overrides(dataset),
                data_dir=workplace.data_dir,
                work_dir=workplace.trainings,
                photo_cache=workplace.photos,
                seed=SEED,
            ),
            displays=[_EpochsFile(epochs), *([make_line()] if make_line else [])],
        )
        trained = Training(encoder_id=encoder_id, parameters=_parameters(settings), history=_read_epochs(epochs))
        replace_file(record, artifact.to_json(trained))
    return trained


def _read(record: Path, store: Path) -> Training | None:
    """Returns a finished training whose encoder is still there, else None."""
    try:
        trained = TypeAdapter(Training).validate_json(record.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    # Somebody may have emptied the store and kept the records, which then point at nothing.
    known = list_encoders(Store(store)) if store.exists() else []
    return trained if trained.encoder_id in known else None


def _parameters(settings: Recipe) -> int:
    weights = objective.load(settings.objective).build(settings).fitted.trainable_weights
    return sum(math.prod(weight.shape) for weight in weights)


class _EpochsFile(Display):
    """Adds each epoch as a line to a file that outlives an interruption."""

    def __init__(self, path: Path):
        self._path = path

    def show_epoch(self, epoch: int, loss: float, val_loss: float) -> None:
        """Adds one epoch."""
        with self._path.open("a") as lines:
            lines.write(json.dumps([epoch, loss, val_loss]) + "\n")


def _read_epochs(path: Path) -> list[list[float]]:
    """Returns the losses by epoch; of an epoch that ran twice, the later run counts, and torn lines do not."""
    found: dict[int, list[float]] = {}
    for line in path.read_text().splitlines():
        try:
            epoch, loss, val_loss = json.loads(line)
        except ValueError:
            continue  # an interruption tore the line; the epoch ran again
        found = {number: kept for number, kept in found.items() if number < epoch} | {epoch: [loss, val_loss]}
    return list(found.values())
