"""Fixtures that the tests of trainings share."""

import numpy as np
import pytest

from foundation.store.encoders import golden_photos
from tests.conftest import TINY
from training import train as training
from training.train import TrainOptions


@pytest.fixture
def options(photo_folder, tmp_path):
    """A function that makes the options of a tiny training below the test's own folder."""

    def make(store="store", **changes) -> TrainOptions:
        changes["overrides"] = {**TINY, **changes.get("overrides", {})}
        return TrainOptions(
            **{"source": str(photo_folder), "store": tmp_path / store, "work_dir": tmp_path / "work", **changes}
        )

    return make


@pytest.fixture
def fitted(monkeypatch) -> list[np.ndarray]:
    """What trainings hand to the export, which is replaced: the answers of each encoder to a few photos."""
    answers = []

    def answer(models, **_options):
        photos = golden_photos(TINY["size"], 3)
        answers.append(np.asarray(models.encoder(photos)))

    monkeypatch.setattr(training, "export", answer)
    return answers
