"""The desk's own lists after a purge: entries are emptied, and the lists stay whole."""

import hashlib
from pathlib import Path

import pytest

from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.ignored import read_ignored
from foundation.store.watched import Found, FoundPhoto, list_watched, read_found, record_found
from pipelines.purge import file_traces
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


def found_photo(name: str, archive: str, content: bytes = b"c" * 32) -> FoundPhoto:
    """Returns a photo as it was found."""
    return FoundPhoto(
        content_sha256=content.hex(),
        photo_id=name,
        uri=f"{archive}/{name}",
        verdict="cropped",
        score=0.9,
        first_seen_at=None,
    )


def test_what_a_later_check_of_the_same_snapshot_found_goes_alone(tmp_path: Path, purged: Purged) -> None:
    """Each check has a file of its own, and what the first one found stays."""
    store = Store(tmp_path / "store", create=True)
    watched = watch_photo(store, "b", FILES["b"])
    assert watched
    for photo in (found_photo("c.jpg", "file:///archive"), found_photo("a.jpg", "file:///archive")):
        record_found(store, Found(watch_id=watched.watch_id, snapshot=7, created_at=artifact.now(), photos=[photo]))
    purge_lists(store, purged)
    assert [one.photo_id for found in read_found(store, watched.watch_id) for one in found.photos] == ["c.jpg"]
    assert find_traces(store, purged)[1] == []


def test_what_is_watched_and_what_was_found_of_it_goes(tmp_path: Path, purged: Purged) -> None:
    """A query that is the photo is watched no longer; of another one the photo is not among the findings.

    It may have been found under a content that it had earlier. Who else has its name is another photo.
    """
    store = Store(tmp_path / "store", create=True)
    assert watch_photo(store, "a", FILES["a"])
    other = watch_photo(store, "b", FILES["b"])
    earlier = Purged(
        purged.photos | {("file:///archive", "Zürich.jpg"), ("s3://list.csv", "d.jpg")},
        purged.contents,
        uris=frozenset(["https://elsewhere/d.jpg"]),
    )
    photos = [
        found_photo("copy.jpg", "s3://b", next(iter(purged.contents))),
        *(found_photo(name, "file:///archive") for name in ("a.jpg", "Zürich.jpg", "c.jpg")),
        found_photo("d.jpg", "https://elsewhere"),
        found_photo("a.jpg", "s3://b"),
    ]
    for number in range(len(photos)):
        found = Found(
            watch_id=other.watch_id,
            snapshot=number + 1,
            created_at="2024-05-31T00:00:00+00:00",
            photos=photos[number : number + 1],
        )
        record_found(store, found)
    traces = find_traces(store, earlier)[1]
    assert [path.partition("found-")[2] for path in traces if "found-" in path] == [f"{n}.json" for n in (1, 2, 3, 5)]
    purge_lists(store, earlier)
    assert [one.watch_id for one in list_watched(store)[0]] == [other.watch_id]
    left = [(one.photo_id, one.uri) for found in read_found(store, other.watch_id) for one in found.photos]
    assert left == [("c.jpg", "file:///archive/c.jpg"), ("a.jpg", "s3://b/a.jpg")]
    assert find_traces(store, earlier)[1] == []


def test_what_is_called_like_the_photo_is_no_trace_of_it(tmp_path: Path, purged: Purged) -> None:
    """A query and a logo are named by their files on the desk's disk: every purge would fail for them."""
    store = Store(tmp_path / "store", create=True)
    (tmp_path / "a.jpg").write_bytes(FILES["b"])
    assert watch_photo(store, "a.jpg", FILES["c"])
    ignore_photo(store, str(tmp_path / "a.jpg"), why="a logo")
    purge_lists(store, purged)
    assert find_traces(store, purged)[1] == []
    assert len(list_watched(store)[0]) == 1


@pytest.mark.parametrize("chunk", [1, 7, 64, 4096])
def test_a_file_is_looked_through_in_pieces(tmp_path: Path, purged: Purged, chunk: int, monkeypatch) -> None:
    """However large it is, and wherever the pieces meet; each place is told once."""
    monkeypatch.setattr(file_traces, "READ_CHUNK_BYTES", chunk)
    store = Store(tmp_path / "store", create=True)
    word = next(iter(purged.contents)).hex().encode()
    store.create("builds/large.json", b"x" * 100 + word + b"x" * 300 + word)
    store.create("builds/other.json", b"x" * 500)
    assert find_traces(store, purged)[1] == ["builds/large.json"]
    found = file_traces.places(store, "builds/large.json", [word, b"xx" + word])
    assert sorted(found) == [98, 100, 462, 464]
