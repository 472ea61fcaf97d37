"""Fixtures that every package's tests share."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.photos import write_archive, write_catalog

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photos that lies beside some checkouts; tests that need it skip without it."""
    folder = Path(os.environ.get("FIRSTSEEN_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}; set FIRSTSEEN_SHARED_DATA to a folder with hostile/ and photos/")
    return folder


@pytest.fixture(scope="session")
def encoder_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one small encoder, trained for two epochs; copy it before writing: see `store`."""
    from training.train import TrainOptions, train

    folder = tmp_path_factory.mktemp("encoder")
    write_archive(folder / "archive", photos=16, first_seed=1_000)
    overrides = {"size": 16, "dimension": 16, "epochs": 2, "filters": 8, "halvings": 2}
    options = TrainOptions(
        source=str(folder / "archive"), store=folder / "store", overrides=overrides, work_dir=folder / "work"
    )
    train(options, on_epoch=lambda *_: None)
    return folder / "store"


@pytest.fixture
def store(encoder_store: Path, tmp_path: Path) -> Path:
    """A store of the test's own, with one encoder and nothing else."""
    return Path(shutil.copytree(encoder_store, tmp_path / "store"))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A folder of ten photos."""
    write_archive(tmp_path / "archive")
    return tmp_path / "archive"


@dataclass(frozen=True)
class Desk:
    """A store that answers, and the archive it was built from."""

    store: Path
    archive: Path


@pytest.fixture(scope="session")
def live_desk(encoder_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Ten photos with dates, encoded, indexed and published; copy the store before changing it: see `desk`."""
    from pipelines.build_index import build_index
    from pipelines.encode import EncodeOptions, encode
    from training.store import Store

    folder = tmp_path_factory.mktemp("desk")
    paths = write_archive(folder / "archive")
    names = [str(path.relative_to(folder / "archive")) for path in paths]
    rows = [
        {"photo_id": name, "published_at": f"20{10 + number}-01-01", "caption": f"Scene {number}", "credit": "Desk"}
        for number, name in enumerate(names)
    ]
    catalog = write_catalog(folder / "catalog.csv", rows)
    shutil.copytree(encoder_store, folder / "store")
    encode(EncodeOptions(archive=folder / "archive", store=str(folder / "store"), catalog=catalog))
    build_index(Store(folder / "store"))
    return Desk(folder / "store", folder / "archive")


@pytest.fixture
def desk(live_desk: Desk, tmp_path: Path) -> Desk:
    """The same, with a store of the test's own."""
    return Desk(Path(shutil.copytree(live_desk.store, tmp_path / "desk-store")), live_desk.archive)
