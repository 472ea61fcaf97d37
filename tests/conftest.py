"""Fixtures that every package's tests share."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.photos import write_archive, write_catalog

if TYPE_CHECKING:
    from foundation.encoder import SavedEncoder
    from foundation.store.files import Store

REPOSITORY = Path(__file__).parents[1]
# Small enough that a training takes seconds, and with a size that the halvings do not divide.
TINY = {"size": 17, "dimension": 8, "epochs": 2, "batch_size": 8, "filters": 4, "halvings": 1}


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
    train(options)
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
    from foundation.store.files import Store
    from pipelines.encode.job import encode
    from pipelines.encode.plan import EncodeOptions
    from pipelines.index.job import build_index

    folder = tmp_path_factory.mktemp("desk")
    paths = write_archive(folder / "archive")
    names = [str(path.relative_to(folder / "archive")) for path in paths]
    rows = [
        {"photo_id": name, "published_at": f"20{10 + number}-01-01", "caption": f"Scene {number}", "credit": "Desk"}
        for number, name in enumerate(names)
    ]
    catalog = write_catalog(folder / "catalog.csv", rows)
    shutil.copytree(encoder_store, folder / "store")
    encode(EncodeOptions(archive=str(folder / "archive"), store=str(folder / "store"), catalog=catalog))
    build_index(Store(folder / "store"))
    return Desk(folder / "store", folder / "archive")


@pytest.fixture
def desk(live_desk: Desk, tmp_path: Path) -> Desk:
    """The same, with a store of the test's own."""
    return Desk(Path(shutil.copytree(live_desk.store, tmp_path / "desk-store")), live_desk.archive)


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory) -> Path:
    """A folder tree of sixteen photos; tests only read it."""
    folder = tmp_path_factory.mktemp("training") / "photos"
    write_archive(folder, photos=16)
    return folder


@pytest.fixture(scope="session")
def only_encoder() -> Callable[["Path | Store"], str]:
    """A function that returns the id of the one encoder of a store."""
    from foundation.store.encoders import list_encoders
    from foundation.store.files import Store

    def find(store: "Path | Store") -> str:
        (encoder_id,) = list_encoders(store if isinstance(store, Store) else Store(store))
        return encoder_id

    return find


@pytest.fixture(scope="session")
def saved_encoder(encoder_store, only_encoder) -> "SavedEncoder":
    """The encoder of the shared store, loaded."""
    from foundation.encoder import load
    from foundation.store.files import Store

    store = Store(encoder_store)
    return load(store, only_encoder(store), batch_size=4)


@pytest.fixture(scope="session")
def run_python() -> Callable[[str], str]:
    """A function that runs code in a fresh Python process and returns its output; it fails if the process does."""

    def run(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=REPOSITORY,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty store in a bucket, on an S3 server of this process."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    settings = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    # The server keeps its buckets in this process, from one test to the next.
    name = f"desk-{uuid.uuid4().hex}"
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=name)
    yield f"s3://{name}/photos"
    server.stop()


@pytest.fixture
def google_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty place in a bucket of Google Cloud Storage, emulated in this process."""
    from tests.gcs import emulator

    name = f"desk{uuid.uuid4().hex}"  # obstore escapes a hyphen, which the emulator does not expect in a bucket's name
    with emulator(name) as settings:
        for key, value in settings.items():
            monkeypatch.setenv(key, value)
        yield f"gs://{name}/photos"


@pytest.fixture(params=["s3", "gs"])
def any_bucket(request: pytest.FixtureRequest) -> str:
    """The address of an empty place in a bucket, once on S3 and once on Google Cloud Storage."""
    return request.getfixturevalue("bucket" if request.param == "s3" else "google_bucket")
