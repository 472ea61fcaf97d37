"""The desk that looks photos up."""

import shutil
from pathlib import Path

import pytest

from tests.nights import make_nights
from tests.pipelines.lookup.desk import Desk
from tests.pipelines.lookup.made_batch import make_batch


@pytest.fixture(scope="session")
def three_nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of three nights, indexed; for copies."""
    folder = tmp_path_factory.mktemp("nights")
    with pytest.MonkeyPatch.context() as patch:
        nights = make_nights(folder, patch)
        for number in range(3):
            nights.put(f"{number}.jpg", number)
            nights.night()
    return folder


@pytest.fixture
def desk(tmp_path: Path, three_nights: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Three nights, indexed."""
    shutil.copytree(three_nights, tmp_path, dirs_exist_ok=True)
    return Desk(tmp_path, make_nights(tmp_path, monkeypatch), make_batch(monkeypatch))
