"""Which encoder a job takes: asked for, live, or the only one; never one of several by chance."""

from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError, InputNotFoundError, UsageError
from foundation.store.encoder_choice import choose_encoder
from foundation.store.encoders import read_spec
from foundation.store.files import Store
from foundation.store.snapshots import Snapshot
from tests.builders import add_encoder, add_run, snapshot, unit_vectors


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path)


def encode_with(store: Store, encoder_id: str) -> None:
    """Writes a finished run of the encoder."""
    add_run(store, encoder_id, "run", unit_vectors(2, 4))


def snapshot_of(store: Store, encoder_id: str) -> Snapshot:
    """Returns a snapshot that names the encoder as it lies in the store."""
    _, digest = read_spec(store, encoder_id)
    return snapshot(1, encoder_id=encoder_id, encoder_digest=digest)


@pytest.mark.parametrize("with_runs", [False, True])
def test_the_encoder_asked_for_comes_before_the_live_one(store: Store, with_runs: bool):
    """A new encoder takes the place of the live one when a user says so, and only then."""
    asked, live = add_encoder(store, recipe="asked"), add_encoder(store, recipe="live")
    published = snapshot_of(store, live)
    assert choose_encoder(store, asked, published, with_runs=with_runs) == read_spec(store, asked)
    assert choose_encoder(store, None, published, with_runs=with_runs) == read_spec(store, live)
    assert choose_encoder(store, asked, None, with_runs=with_runs) == read_spec(store, asked)


def test_the_only_encoder_is_taken_without_a_question(store: Store):
    """The first encode and the first index of a store need no flag."""
    only = add_encoder(store)
    encode_with(store, only)
    assert choose_encoder(store, None, None) == read_spec(store, only)
    assert choose_encoder(store, None, None, with_runs=True) == read_spec(store, only)


def test_of_several_encoders_none_is_guessed(store: Store):
    """A usage error names all of them and the flag that chooses."""
    encoders = sorted(add_encoder(store, recipe=recipe) for recipe in "ab")
    message = rf"holds 2 encoders, and no snapshot .* choose one with --encoder: {', '.join(encoders)}$"
    with pytest.raises(UsageError, match=message):
        choose_encoder(store, None, None)


def test_an_index_counts_the_encoders_that_have_embeddings(store: Store):
    """A second encoder that was trained and not used yet leaves no choice to make; one that was used does."""
    used, unused = add_encoder(store, recipe="used"), add_encoder(store, recipe="unused")
    encode_with(store, used)
    assert choose_encoder(store, None, None, with_runs=True) == read_spec(store, used)
    encode_with(store, unused)
    with pytest.raises(UsageError, match=r"holds embeddings of 2 encoders, .* choose one with --encoder: "):
        choose_encoder(store, None, None, with_runs=True)


def test_a_store_without_any_says_the_verb_that_makes_some(store: Store):
    """Both an encoder and embeddings come from an encode."""
    with pytest.raises(InputNotFoundError, match="holds no encoder; `firstseen encode` makes some"):
        choose_encoder(store, None, None)
    add_encoder(store)
    with pytest.raises(InputNotFoundError, match="holds no embeddings; `firstseen encode` makes some"):
        choose_encoder(store, None, None, with_runs=True)


def test_an_unknown_encoder_is_answered_with_the_known_ones(store: Store):
    """Asking for one that is not there is an input error; so is an empty name, which stands for no other."""
    known = add_encoder(store)
    with pytest.raises(InputNotFoundError, match=f"it has: {known}"):
        choose_encoder(store, "other-1", None)
    with pytest.raises(InputNotFoundError):
        choose_encoder(store, "", None)


@pytest.mark.parametrize("is_asked_for", [False, True])
def test_an_encoder_that_changed_under_the_live_snapshot_is_refused(store: Store, is_asked_for: bool):
    """Its new vectors would not fit those that are searched; naming it by a flag does not help."""
    encoder_id = add_encoder(store)
    live = snapshot(3, encoder_id=encoder_id, encoder_digest="0" * 64)
    with pytest.raises(ArtifactRefusedError, match=rf"encoder {encoder_id} has the digest .*, snapshot 3 names 0000"):
        choose_encoder(store, encoder_id if is_asked_for else None, live)
