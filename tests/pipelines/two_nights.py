"""Stores of two nights to damage: ten photos, then some that are new, changed, renamed, removed, or known elsewhere."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from foundation.store.files import Store
from pipelines.encode.job import encode
from pipelines.encode.plan import EncodeOptions
from pipelines.index.job import build_index
from tests.photos import jpeg, noise, write_archive, write_catalog


@dataclass(frozen=True)
class Nights:
    """A store of two nights, and the archives that it was built from; `waiting` was encoded and not indexed."""

    store: Path
    archive: Path
    second: Path

    @property
    def opened(self) -> Store:
        """The store, opened."""
        return Store(self.store)


@pytest.fixture(scope="session")
def two_nights(encoder_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """Two archives, two snapshots; nothing waits. Copy it before changing it: see `nights`."""
    folder = tmp_path_factory.mktemp("nights")
    archive, second, store = folder / "archive", folder / "second", folder / "store"
    paths = write_archive(archive, photos=8, picture=noise)
    write_archive(second, photos=3, first_seed=50, picture=noise)
    (archive / "broken.jpg").write_bytes(b"no photo")
    shutil.copytree(encoder_store, store)
    names = [str(path.relative_to(archive)) for path in paths]
    rows = [{"photo_id": name, "published_at": f"20{10 + number}-01-01"} for number, name in enumerate(names)]
    catalog = write_catalog(folder / "catalog.csv", rows)
    run_night(store, archive, catalog=catalog)
    run_night(store, second)
    paths[0].unlink()
    paths[1].rename(archive / "renamed.jpg")
    paths[2].write_bytes(jpeg(noise(99)))
    (archive / "new.jpg").write_bytes(jpeg(noise(100)))
    shutil.copy(paths[3], second / "copy.jpg")
    run_night(store, archive, catalog=write_catalog(folder / "later.csv", [{**rows[4], "published_at": "2001-01-01"}]))
    run_night(store, second)
    return Nights(store, archive, second)


@pytest.fixture
def nights(two_nights: Nights, tmp_path: Path) -> Nights:
    """The same, with a store and archives of the test's own; the photos are where the store says."""
    return Nights(Path(shutil.copytree(two_nights.store, tmp_path / "store")), two_nights.archive, two_nights.second)


def run_night(store: Path, archive: Path, *, catalog: Path | None = None) -> None:
    """Encodes an archive and publishes."""
    encode(EncodeOptions(archive=str(archive), store=str(store), catalog=catalog, chunk_photos=4))
    build_index(Store(store))


def begin_own(nights: Nights, folder: Path) -> tuple[Path, Path]:
    """Returns (store, archive): a store with the encoder alone, and three photos that no night of it has seen."""
    store, archive = folder / "own-store", folder / "own"
    shutil.copytree(nights.store, store, ignore=shutil.ignore_patterns("embeddings", "segments", "snapshots"))
    archive.mkdir()
    for number in range(3):
        (archive / f"{number}.jpg").write_bytes(jpeg(noise(300 + number)))
    return store, archive
