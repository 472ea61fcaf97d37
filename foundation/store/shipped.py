"""Puts the encoder that comes with the package into a store, so that a first encode needs no training."""

from functools import cache
from pathlib import Path

from foundation.store.encoders import ENCODER_DESCRIPTION, encoder_directory, list_encoders, read_spec
from foundation.store.files import Store

# The name that a user types; in a store it is called like every encoder, by its recipe and the digest of its files.
SHIPPED = "photo-v1"
# The package holds it as a store does: what is true of an encoder there is true of it here.
PACKAGE_STORE = Path(__file__).parents[1] / "shipped"


@cache
def shipped_encoder() -> str:
    """Returns the id of the encoder that comes with this version of the package."""
    (encoder_id,) = list_encoders(Store(PACKAGE_STORE))
    return encoder_id


def ship(store: Store) -> str:
    """Copies the encoder into the store, its description last, unless it is there; returns its id."""
    package, encoder_id = Store(PACKAGE_STORE), shipped_encoder()
    spec, _ = read_spec(package, encoder_id)
    # Two programs may ship at once: both write the same bytes, and a file that exists is left alone.
    for name in (*spec.files, ENCODER_DESCRIPTION):
        path = f"{encoder_directory(encoder_id)}/{name}"
        store.create(path, package.read(path))
    return encoder_id


def with_shipped(store: Store, encoder_id: str | None) -> str | None:
    """Returns the encoder asked for, after putting the shipped one into the store if it is meant.

    It is meant by its name, by its id, and by no name where the store has no encoder yet.
    """
    wanted = encoder_id if encoder_id or list_encoders(store) else SHIPPED
    return ship(store) if wanted in (SHIPPED, shipped_encoder()) else encoder_id
