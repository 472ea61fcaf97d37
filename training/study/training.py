"""Trains one entry of the study, or finds that it was trained before: what is done once is never done again."""

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

import keras
from pydantic import TypeAdapter, ValidationError

from training import artifact, encoder_spec
from training.autoencoder import build
from training.epoch_line import EpochLine
from training.store import Store
from training.study.plan import SEED, Dataset, Entry
from training.train import TrainOptions, train


@dataclass(frozen=True, kw_only=True)
class Training:
    """A finished training. `history` holds, by epoch, the loss, the validation loss and the seconds it took."""

    __pydantic_config__: ClassVar = artifact.STRICT

    encoder_id: str
    parameters: int
    history: list[list[float]]


@dataclass(frozen=True)
class Workplace:
    """Where a study works: what lies here lets it go on after an interruption."""

    directory: Path
    data_dir: Path | None = None

    @property
    def store(self) -> Path:
        """The store with the encoders of the study."""
        return self.directory / "store"

    @property
    def photos(self) -> Path:
        """The decoded photos, shared by all trainings."""
        return self.directory / "photos"

    @property
    def trainings(self) -> Path:
        """Records of finished trainings, and the state of the one that runs."""
        return self.directory / "trainings"

    @property
    def results(self) -> Path:
        """What the page is made of."""
        return self.directory / "results"


def train_once(
    entry: Entry, dataset: Dataset, workplace: Workplace, *, make_line: Callable[[], EpochLine] | None = None
) -> Training:
    """Returns the training of that entry; trains, and shows it on a line, if its record or its encoder is missing."""
    settings = entry.settings(dataset)
    # Asked for by what is trained, not by its name in the study: a changed recipe is another training.
    key = hashlib.sha256(json.dumps([asdict(settings), dataset.training, SEED]).encode()).hexdigest()[:12]
    record = workplace.trainings / f"{dataset.name}-{entry.name}-{key}.json"
    epochs = record.with_suffix(".epochs.jsonl")
    trained = _read(record, workplace.store)
    if trained is None:
        keras.backend.clear_session()  # fifty models in one process would fill the memory
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
            on_epoch=_EpochFile(epochs).add,
            line=make_line() if make_line else None,
        )
        trained = Training(
            encoder_id=encoder_id,
            parameters=build(settings).as_one_model().count_params(),
            history=list(_read_epochs(epochs).values()),
        )
        write_file(record, trained)
    return trained


def write_file(path: Path, described: object) -> None:
    """Writes a dataclass as JSON under another name first: an interruption leaves no half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(artifact.to_json(described))
    os.replace(partial, path)


def _read(record: Path, store: Path) -> Training | None:
    """Returns a finished training whose encoder is still there, else None."""
    try:
        trained = TypeAdapter(Training).validate_json(record.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    known = encoder_spec.list_encoders(Store(store)) if store.exists() else []
    return trained if trained.encoder_id in known else None


class _EpochFile:
    """Adds each epoch as a line to a file that outlives an interruption."""

    def __init__(self, path: Path):
        self._path = path
        self._since = time.monotonic()

    def add(self, epoch: int, epochs: int, loss: float, val_loss: float) -> None:
        """Writes one epoch; the first one's seconds contain the building of the model."""
        now = time.monotonic()
        with self._path.open("a") as lines:
            lines.write(json.dumps([epoch, loss, val_loss, round(now - self._since, 2)]) + "\n")
        self._since = now


def _read_epochs(path: Path) -> dict[int, list[float]]:
    """Returns (loss, validation loss, seconds) by epoch; of an epoch that ran twice, the later run counts."""
    found: dict[int, list[float]] = {}
    for line in path.read_text().splitlines():
        epoch, *values = json.loads(line)
        found = {number: kept for number, kept in found.items() if number < epoch} | {epoch: values}
    return found
