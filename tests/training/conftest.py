"""Fixtures of the training tests: one small training, shared, because TensorFlow is slow to start."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.photos import write_archive
from training.saved_encoder import SavedEncoder, load
from training.store import Store

# Small enough that a training takes seconds, and with a size that the halvings do not divide.
TINY = {"size": 17, "dimension": 8, "epochs": 2, "batch_size": 8, "filters": 4, "halvings": 1}


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory) -> Path:
    """A folder tree of sixteen photos; tests only read it."""
    folder = tmp_path_factory.mktemp("training") / "photos"
    write_archive(folder, photos=16)
    return folder


@pytest.fixture(scope="session")
def only_encoder() -> Callable[[Path | Store], str]:
    """A function that returns the id of the one encoder of a store."""
    from training.encoder_spec import list_encoders

    def find(store: Path | Store) -> str:
        (encoder_id,) = list_encoders(store if isinstance(store, Store) else Store(store))
        return encoder_id

    return find


@pytest.fixture(scope="session")
def saved_encoder(encoder_store, only_encoder) -> SavedEncoder:
    """The encoder of the shared store, loaded."""
    store = Store(encoder_store)
    return load(store, only_encoder(store), batch_size=4)


@pytest.fixture(scope="session")
def run_python() -> Callable[[str], str]:
    """A function that runs code in a fresh Python process and returns its output; it fails if the process does."""

    def run(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
