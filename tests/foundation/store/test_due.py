"""What a store's status calls due, and the command that it says to type next: none of them fails."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from foundation.store import artifact
from foundation.store.due import list_due, next_command
from foundation.store.encoder_choice import choose_encoder
from foundation.store.encoders import ENCODER_DESCRIPTION, encoder_directory, read_spec
from foundation.store.files import Store
from foundation.store.lookups import begin_lookup
from foundation.store.runs import run_path
from foundation.store.snapshots import live_snapshot, publish
from foundation.store.status import read_status
from tests.builders import add_encoder
from tests.foundation.store.test_status import encode, index


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store, whose path a shell would split."""
    return Store(tmp_path / "my store", create=True)


def add_newer(store: Store, recipe: str) -> str:
    """Puts an encoder into the store that is younger than all others."""
    encoder_id = add_encoder(store, recipe=recipe)
    path = f"{encoder_directory(encoder_id)}/{ENCODER_DESCRIPTION}"
    spec, _ = read_spec(store, encoder_id)
    store.delete([path])
    artifact.finish(store, path, replace(spec, created_at="2090-01-01T00:00:00+00:00"))
    return encoder_id


def commands(store: Store) -> list[str]:
    """Returns the commands that are due, then the next one, after trying whether each would find its encoder."""
    status = read_status(store)
    found = [due.command for due in list_due(status) if due.command] + [next_command(status)]
    for command in found:
        words = shlex.split(command)
        assert words[words.index("--store") + 1] == store.uri
        encoder = words[words.index("--encoder") + 1] if "--encoder" in words else None
        if words[1] in ("index", "reindex") or (words[1] == "encode" and status.encoders):
            choose_encoder(store, encoder, live_snapshot(store), with_runs=words[1] == "index")
    return [command.replace(f" --store '{store.uri}'", "") for command in found]


def test_an_empty_store_begins_with_an_encode(store: Store):
    """Nothing is there, and the line can be pasted into a shell."""
    assert next_command(read_status(store)) == f"firstseen encode ARCHIVE --store '{store.uri}'"
    assert list_due(read_status(store)) == []


def test_encoders_without_runs_wait_for_an_archive(store: Store):
    """One is chosen by itself; of two, without a snapshot that names one, the newest is named."""
    add_encoder(store)
    assert commands(store) == ["firstseen encode ARCHIVE"]
    newer = add_newer(store, "a")
    assert commands(store) == [f"firstseen encode ARCHIVE --encoder {newer}"]


def test_waiting_runs_are_due_by_encoder(store: Store):
    """Before the first snapshot an index has to be told the encoder, and the newest comes first."""
    first = add_encoder(store)
    encode(store, first, "run-1")
    assert commands(store) == [f"firstseen index --encoder {first}"] * 2
    newer = add_newer(store, "a")
    encode(store, newer, "run-2")
    index_newer, index_first = f"firstseen index --encoder {newer}", f"firstseen index --encoder {first}"
    assert commands(store) == [index_newer, index_first, index_newer]


def test_what_waits_for_the_live_encoder_comes_next(store: Store):
    """A newer encoder is due too, and what it takes to switch; an older one's runs are not."""
    older, live = add_encoder(store, recipe="older"), add_encoder(store)
    encode(store, live, "run-1")
    index(store, live, "run-1")
    assert commands(store) == ["firstseen lookup PHOTO"]
    encode(store, live, "run-2")
    encode(store, older, "run-3")
    assert commands(store) == ["firstseen index"] * 2


def test_a_newer_encoder_is_due_archive_by_archive(store: Store):
    """An index would refuse to lose an archive by a switch: first all of them are encoded."""
    live = add_encoder(store)
    encode(store, live, "run-1", archive="/a b")
    encode(store, live, "run-2", archive="/c")
    index(store, live, "run-1", "run-2")
    newer = add_newer(store, "a")
    for number, (archive, missing) in enumerate((("/a b", "'/a b'"), ("/c", "/c"))):
        assert commands(store) == [f"firstseen reindex {missing} --encoder {newer}", "firstseen lookup PHOTO"]
        encode(store, newer, f"run-{3 + number}", archive=archive)
    assert commands(store) == [f"firstseen index --encoder {newer}", "firstseen lookup PHOTO"]


def test_after_a_rollback_of_an_older_program_indexing_is_not_proposed(store: Store):
    """It would take up again what the user has just left out, which the snapshot does not name."""
    encoder_id = add_encoder(store)
    encode(store, encoder_id, "run-1")
    encode(store, encoder_id, "run-2")
    first = index(store, encoder_id, "run-1", archives={})
    index(store, encoder_id, "run-1", "run-2", number=2)
    publish(store, replace(first, number=3, reason="rollback to 1"))
    (due,) = list_due(read_status(store))
    assert (due.what, due.command) == (f"2 runs of {encoder_id} left out by the rollback to 1", None)
    assert commands(store) == ["firstseen lookup PHOTO"]


def test_what_is_encoded_after_a_rollback_is_due(store: Store):
    """The rollback says what it left out; what came later is none of it."""
    encoder_id = add_encoder(store)
    encode(store, encoder_id, "run-1")
    index(store, encoder_id, "run-1", reason="rollback to 1")
    encode(store, encoder_id, "run-2")
    assert commands(store) == ["firstseen index"] * 2


def test_what_is_damaged_comes_first(store: Store):
    """An index passes over a run that cannot be read; of an encoder that cannot be read none can be built."""
    encoder_id = add_encoder(store)
    encode(store, encoder_id, "run-1")
    encode(store, encoder_id, "run-2")
    assert store.local_root
    (store.local_root / run_path(encoder_id, "run-2")).write_bytes(b"{}")
    damaged, waiting = list_due(read_status(store))
    assert damaged.what.startswith("run-2 cannot be read: ")
    assert waiting.what == f"1 run of {encoder_id} not indexed"
    assert commands(store) == [f"firstseen index --encoder {encoder_id}"] * 2
    index(store, encoder_id, "run-1")
    encode(store, encoder_id, "run-3")
    (store.local_root / encoder_directory(encoder_id) / ENCODER_DESCRIPTION).write_bytes(b"{}")
    assert [due.command for due in list_due(read_status(store))] == [None, None, None]


def test_an_unfinished_run_is_named(store: Store):
    """Nobody can tell a run at work from an interrupted one by what lies in the store."""
    encoder_id = add_encoder(store)
    store.create(f"embeddings/{encoder_id}/run-1/inventory.parquet", b"")
    (due,) = list_due(read_status(store))
    assert due.what.startswith("1 run not finished: at work now, or cut off")


def test_an_unfinished_lookup_is_named(store: Store):
    """Beside the runs, with what goes on with it."""
    begin_lookup(store, "a", snapshot=1)
    begin_lookup(store, "b", snapshot=1)
    status = read_status(store)
    assert status.lookups == ["a", "b"]
    (due,) = list_due(status)
    assert due.what == "2 lookups not finished: at work now, or cut off; the same command again goes on"
    assert due.command is None
