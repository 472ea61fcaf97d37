"""The encoder that comes with the package: in a store by its name, by its id, or where there is no other."""

from pathlib import Path

import pytest

from foundation.errors import InputNotFoundError
from foundation.store import artifact, shipped
from foundation.store.encoders import encoder_directory, list_encoders, read_spec
from foundation.store.files import Store
from tests.builders import add_encoder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "store", create=True)


def test_a_store_without_encoders_gets_the_shipped_one(store: Store):
    """Nothing has to be named or trained for a first encode; every file arrives as it was."""
    encoder_id = shipped.with_shipped(store, None)
    assert list_encoders(store) == [encoder_id]
    assert encoder_id == shipped.shipped_encoder()
    spec, _ = read_spec(store, encoder_id)
    artifact.verify_files(store, encoder_directory(encoder_id), spec.files)


def test_a_store_with_an_encoder_is_left_alone(store: Store):
    """Who has trained an encoder of their own does not find another one in the store."""
    own = add_encoder(store)
    assert shipped.with_shipped(store, None) is None
    assert shipped.with_shipped(store, own) == own
    assert list_encoders(store) == [own]


def test_the_shipped_encoder_can_be_asked_for(store: Store):
    """Its name and its id both mean it, beside other encoders too."""
    add_encoder(store)
    assert shipped.with_shipped(store, "photo-v1") == shipped.shipped_encoder()
    assert shipped.with_shipped(store, shipped.shipped_encoder()) == shipped.shipped_encoder()
    assert len(list_encoders(store)) == 2


def test_a_shipping_that_was_cut_off_is_completed(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Until the description stands, which is written last, the store has no encoder; the next encode goes on."""
    written = []

    def create_three(self, path, data):
        if len(written) == 3:
            raise KeyboardInterrupt
        written.append(path)
        return original(self, path, data)

    original = Store.create
    with monkeypatch.context() as patched:
        patched.setattr(Store, "create", create_three)
        with pytest.raises(KeyboardInterrupt):
            shipped.ship(store)
    assert list_encoders(store) == []
    with pytest.raises(InputNotFoundError, match="`firstseen encode` puts one there"):
        read_spec(store, shipped.shipped_encoder())
    shipped.ship(store)
    assert list_encoders(store) == [shipped.shipped_encoder()]


def test_the_shipped_encoder_is_small():
    """It comes with every installation: a few megabytes at most."""
    spec, _ = read_spec(Store(shipped.PACKAGE_STORE), shipped.shipped_encoder())
    assert sum(record.size_bytes for record in spec.files.values()) < 16_000_000
