"""The desk's own lists after a purge: entries are emptied, and the lists stay whole."""

import hashlib
from pathlib import Path

import pytest

from foundation.store.files import Store
from foundation.store.ignored import read_ignored
from foundation.store.watched import Found, FoundPhoto, list_watched, read_found, record_found
from pipelines.purge.proof import find_traces
from pipelines.purge.purge_lists import purge_lists
from pipelines.purge.traces import Purged
from serving.ignore import ignore_photo
from serving.watch import watch_photo
from tests.photos import jpeg, noise

FILES = {name: jpeg(noise(seed)) for seed, name in enumerate("abc")}


@pytest.fixture
def purged() -> Purged:
    """Photo a.jpg of an archive, whose content is that of file a."""
    return Purged(frozenset([("file:///archive", "a.jpg")]), frozenset([hashlib.sha256(FILES["a"]).digest()]))


def test_an_ignored_photo_is_emptied_in_its_place(tmp_path: Path, purged: Purged) -> None:
    """A list with a gap would be refused by every lookup; the others are ignored as before."""
    store = Store(tmp_path / "store", create=True)
    for name in "ab":
        (tmp_path / f"{name}.jpg").write_bytes(FILES[name])
        ignore_photo(store, str(tmp_path / f"{name}.jpg"), why="a logo")
    assert find_traces(store, purged)[1] == ["ignored/1.json"]
    purge_lists(store, purged)
    assert [bool(one.photo) for one in read_ignored(store)] == [False, True]
    assert len(store.files("ignored")) == 3
    assert find_traces(store, purged)[1] == []


def test_what_is_watched_and_what_was_found_of_it_goes(tmp_path: Path, purged: Purged) -> None:
    """A query that is the photo is watched no longer; of another one the photo is not among the findings."""
    store = Store(tmp_path / "store", create=True)
    assert watch_photo(store, "a", FILES["a"])
    other = watch_photo(store, "b", FILES["b"])
    photos = [
        FoundPhoto(content_sha256=content, photo_id=name, uri=name, verdict="cropped", score=0.9, first_seen_at=None)
        for name, content in (("a.jpg", next(iter(purged.contents)).hex()), ("c.jpg", "c" * 64))
    ]
    record_found(
        store, Found(watch_id=other.watch_id, snapshot=1, created_at="2024-05-31T00:00:00+00:00", photos=photos)
    )
    purge_lists(store, purged)
    assert [one.watch_id for one in list_watched(store)[0]] == [other.watch_id]
    (found,) = read_found(store, other.watch_id)
    assert [one.photo_id for one in found.photos] == ["c.jpg"]
    assert find_traces(store, purged)[1] == []
