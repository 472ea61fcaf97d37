"""Every recipe goes the whole way: train two steps, export, encode, index, look up, decode."""

from pathlib import Path

import pytest

from firstseen.commands.running import run
from foundation.store.encoders import has_lite_model, list_encoders, read_spec
from foundation.store.files import Store
from tests.photos import write_archive
from training import recipe

# Their loops over rows have no fixed number of photos, which LiteRT's own loops ask for.
WITHOUT_LITE_MODEL = {"attention", "recurrent", "variational_recurrent"}


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """A folder of ten photos; tests only read it."""
    folder = tmp_path_factory.mktemp("recipes") / "archive"
    write_archive(folder)
    return folder


@pytest.mark.parametrize("name", recipe.names())
def test_every_recipe_goes_the_whole_way(name, photos, tmp_path, capsys):
    """An encoder of each recipe finds a photo of the archive, and decodes what the index holds of it if it can."""
    store = str(tmp_path / "store")
    query = str(min(photos.rglob("*.jpg")))
    # Nine photos to train on: two steps. A side of 16 suits every recipe's dimension.
    small = ["--size", "16", "--epochs", "1", "--batch-size", "4", "--work-dir", str(tmp_path / "work")]
    assert run(["train", "--source", str(photos), "--store", store, "--recipe", name, *small]) == 0
    (encoder_id,) = list_encoders(Store(store))
    assert encoder_id.startswith(f"{name}-")
    assert has_lite_model(read_spec(Store(store), encoder_id)[0]) == (name not in WITHOUT_LITE_MODEL)
    assert run(["encode", str(photos), "--store", store]) == 0
    assert run(["index", "--store", store]) == 0
    capsys.readouterr()
    decoded = tmp_path / "decoded"
    can_decode = recipe.load(name).objective == "reconstruction"
    lookup = ["lookup", query, "--store", store, "--top-k", "2", "--similar", "--format", "csv"]
    assert run([*lookup, *(["--decode", str(decoded)] if can_decode else [])]) == 0
    _, first, second = capsys.readouterr().out.splitlines()
    assert "identical" in first
    assert "similar" in second
    assert len(list(decoded.glob("*.png"))) == (2 if can_decode else 0)
