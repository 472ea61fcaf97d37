"""Lookups at work: who is at one, what it holds on to, and that all of it goes."""

import os
from pathlib import Path

import pytest

from foundation.errors import TemporaryError
from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.lookups import (
    LookupBegun,
    begin_lookup,
    end_lookup,
    is_begun,
    lookup_directory,
    lookups_at_work,
    unfinished_lookups,
)
from foundation.store.unfinished import started_at


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "store", create=True)


def begin_as(store: Store, process: int, *, name: str) -> None:
    """Writes that another process of this machine began the lookup."""
    begun = LookupBegun(snapshot=1, host=os.uname().nodename, process=process, started=started_at(process))
    path = store.local_root / lookup_directory("a") / f"begun-{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(artifact.to_json(begun))


def test_a_lookup_is_at_work_until_all_of_it_is_removed(store: Store) -> None:
    """Its working files go with it, and nothing of another one."""
    begin_lookup(store, "a", snapshot=3)
    begin_lookup(store, "b", snapshot=4)
    store.create("lookups/a/answers/1", b"x")
    (store.local_root / "lookups/a/answers/2#1").write_bytes(b"an upload that was cut off")
    assert lookups_at_work(store) == ["lookups/a", "lookups/b"]
    assert [one.snapshot for one in unfinished_lookups(store)["a"]] == [3]
    end_lookup(store, "a")
    assert not is_begun(store, "a")
    assert [file.path.split("/")[1] for file in store.walk()] == ["b"]
    assert not (store.local_root / "lookups" / "a").exists()


def test_the_second_process_at_a_lookup_waits(store: Store) -> None:
    """The first one goes on, whoever of them looks last; a dead process is in nobody's way."""
    begin_as(store, 2**22 + 1, name="00000001")
    begin_lookup(store, "a", snapshot=1)
    begin_as(store, os.getppid(), name="00000003")
    before = [file.path for file in store.walk()]
    with pytest.raises(TemporaryError, match=f"process {os.getppid()} is looking up the same photos"):
        begin_lookup(store, "a", snapshot=1)
    assert [file.path for file in store.walk()] == before


def test_of_two_that_begin_in_the_same_second_one_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever wrote first: the other one looked for a number before, and finds it taken."""
    create, names = Store.create, []

    def create_after_another(self: Store, path: str, data: bytes) -> bool:
        if not names:
            names.append(path)
            begin_as(store, os.getppid(), name=path.partition("begun-")[2].removesuffix(".json"))
        return create(self, path, data)

    monkeypatch.setattr(Store, "create", create_after_another)
    with pytest.raises(TemporaryError, match="expected one at a time"):
        begin_lookup(store, "a", snapshot=1)
    assert [file.path for file in store.walk()] == names


def test_a_damaged_note_is_passed_over(store: Store) -> None:
    """It says nothing of any process."""
    store.create("lookups/a/begun-0.json", b"{")
    begin_lookup(store, "a", snapshot=1)
    assert len(unfinished_lookups(store)["a"]) == 1
