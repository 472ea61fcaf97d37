"""Lists that only grow: what nobody can read stops everybody, until a later entry undoes it."""

from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError, UnknownVersionError
from foundation.store.files import Store
from foundation.store.retractions import RetractedPhoto, add_retraction, is_damaged, read_retractions, retraction_path
from serving.search.retracted import RetractedPhotos


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with three retractions."""
    made = Store(tmp_path, create=True)
    for name in "abc":
        add_retraction(made, [RetractedPhoto(archive="x", photo_id=name, content_sha256="0" * 64)], why="asked for")
    return made


def names(store: Store) -> list[str]:
    """Returns what the list names."""
    return [photo.photo_id for one in read_retractions(store) for photo in one.photos]


@pytest.mark.parametrize("damage", ["is missing", "is not the JSON"])
def test_what_nobody_can_read_stops_everybody_until_it_is_undone(store: Store, damage: str) -> None:
    """It may name any photo; to go on without is for a person to say."""
    path = store.local_root / retraction_path(2)
    path.unlink() if damage == "is missing" else path.write_bytes(b"{")
    assert (is_damaged(store, 1), is_damaged(store, 2), is_damaged(store, 9)) == (False, True, False)
    with pytest.raises(ArtifactRefusedError, match=rf"2\.json {damage}.*`firstseen retract --undo 2 --why TEXT`$"):
        names(store)
    add_retraction(store, [], why="it is lost", undoes=2)
    assert names(store) == ["a", "c"]
    assert [one.number for one in read_retractions(store, after=3)] == [4]


def test_an_entry_of_a_later_version_is_not_given_up(store: Store) -> None:
    """It is whole, and a later program reads it."""
    path = store.local_root / retraction_path(2)
    path.write_bytes(path.read_bytes().replace(b'"contract_version": 1', b'"contract_version": 9'))
    add_retraction(store, [], why="it is lost", undoes=2)
    with pytest.raises(UnknownVersionError):
        names(store)


def test_a_list_with_an_entry_given_up_is_followed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was known is not read again at each look."""
    (store.local_root / retraction_path(3)).write_bytes(b"{")
    add_retraction(store, [], why="it is lost", undoes=3)
    monkeypatch.setattr("serving.search.followed.LOOK_SECONDS", 0)
    followed = RetractedPhotos(store)
    assert not followed.look()
    add_retraction(store, [RetractedPhoto(archive="x", photo_id="d", content_sha256="1" * 64)], why="asked for")
    assert followed.look()
    assert {name for _, name in followed.names} == {"a", "b", "d"}
