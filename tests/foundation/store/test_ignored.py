"""The list of ignored photos: what counts, and what is refused."""

from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError
from foundation.store.files import Store
from foundation.store.ignored import (
    Ignored,
    add_ignored,
    read_ignored,
    read_thumbnail,
    standing,
    thumbnail_path,
    undo_ignored,
)
from tests.builders import content


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "store", create=True)


def add(store: Store, name: str, *, thumbnail: bytes = b"JPEG") -> Ignored:
    """Puts a photo on the list."""
    return add_ignored(store, name=name, content_sha256=content(name), size=(40, 30), thumbnail=thumbnail, why="a logo")


def test_a_list_that_was_written_is_read(store: Store):
    """Entries are numbered from 1; one that another takes back counts no more, and stays."""
    made = [add(store, "a.png"), add(store, "b.png"), undo_ignored(store, 1)]
    assert [one.number for one in made] == [1, 2, 3]
    assert read_ignored(store) == made
    assert read_ignored(store, after=2) == made[2:]
    assert standing(made) == {2: made[1].photo}


def test_two_photos_of_one_thumbnail_share_its_file(store: Store):
    """It lies under the digest of its bytes, which are read again."""
    for name in ("a.png", "b.png"):
        add(store, name)
    assert sum(name.endswith(".jpg") for name in store.files("ignored")) == 1
    assert {read_thumbnail(store, number, photo) for number, photo in standing(read_ignored(store)).items()} == {
        b"JPEG"
    }


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_a_thumbnail_that_is_no_more_what_it_was_is_refused(store: Store, damage: str):
    """The error says how to go on without it."""
    photo = add(store, "a.png").photo
    assert photo is not None
    path = Path(store.uri) / thumbnail_path(photo)
    path.unlink() if damage == "missing" else path.write_bytes(b"JPG")
    with pytest.raises(ArtifactRefusedError, match=r"a\.png is ignored.*`firstseen ignore remove 1`"):
        read_thumbnail(store, 1, photo)


def test_a_list_with_a_gap_is_refused(store: Store):
    """Nobody knows what the missing entry ignored."""
    for name in ("a.png", "b.png"):
        add(store, name)
    (Path(store.uri) / "ignored" / "1.json").unlink()
    with pytest.raises(ArtifactRefusedError, match=r"ignored/1\.json is missing"):
        read_ignored(store)
