"""Watched queries: kept without a match, found by what is published later, and told once."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError, InputNotFoundError
from foundation.store.files import Store
from foundation.store.retractions import RetractedPhoto, add_retraction
from foundation.store.watched import (
    Found,
    FoundPhoto,
    Watched,
    list_watched,
    read_found,
    record_found,
    remove_watched,
    watched_directory,
)
from pipelines.encode.job import encode
from pipelines.encode.plan import EncodeOptions
from pipelines.index.job import build_index
from serving.watch import NewlySeen, check_watched, described, rows_of, watch_photo
from tests.photos import jpeg
from tests.serving.match.pictures import scene

QUERY = scene(1)
FOUND = {"photo_id": "1.jpg", "uri": "1.jpg", "verdict": "same", "score": 1.0, "first_seen_at": None}
CROP = jpeg(QUERY[40:320, 60:430], quality=80)


def publish(store: Path, folder: Path, *seeds: int) -> None:
    """Makes an archive of pictures live, beside what is."""
    folder.mkdir(exist_ok=True)
    for seed in seeds:
        (folder / f"{seed}.jpg").write_bytes(jpeg(scene(seed)))
    encode(EncodeOptions(archive=str(folder), store=str(store)))
    build_index(Store(store))


@pytest.fixture(scope="module")
def without_it(encoder_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that does not have the photo of the query."""
    folder = tmp_path_factory.mktemp("watch")
    shutil.copytree(encoder_store, folder / "store")
    publish(folder / "store", folder / "archive", 10, 11)
    return folder / "store"


@pytest.fixture
def store(without_it: Path, tmp_path: Path) -> Store:
    """The same, for a test of its own."""
    return Store(shutil.copytree(without_it, tmp_path / "store"))


def watch(store: Store, *, data: bytes = CROP, keep_photo: bool = False) -> Watched:
    """Watches a query."""
    made = watch_photo(store, "asked.jpg", data, note="a reader", keep_photo=keep_photo)
    assert made is not None
    return made


def check(store: Store, problems: list[str] | None = None) -> list[NewlySeen]:
    """Returns what is new."""
    heard: list[str] = []
    found = list(check_watched(store, on_problem=heard.append))
    assert problems is not None or not heard
    if problems is not None:
        problems += heard
    return found


@pytest.mark.parametrize("keep_photo", [False, True], ids=["features and a frame", "the photo"])
def test_a_query_is_answered_by_what_is_published_later(store: Store, tmp_path: Path, keep_photo: bool):
    """Once: another check finds the same and says nothing, and another copy is told alone."""
    watched = watch(store, keep_photo=keep_photo)
    assert check(store) == []
    publish(tmp_path / "store", tmp_path / "later", 1, 12)
    (new,) = check(store)
    (row,) = rows_of(new.watched, new.found.snapshot, new.found.photos)
    assert row.pop("score") > 0.9
    assert row == {
        "watch_id": watched.watch_id,
        "note": "a reader",
        "query": "asked.jpg",
        "watched_at": watched.created_at,
        "snapshot": 2,
        "photo_id": "1.jpg",
        "uri": (tmp_path / "later" / "1.jpg").as_uri(),
        "verdict": "cropped",
        "first_seen_at": None,
    }
    assert check(store) == []
    (tmp_path / "later" / "again.jpg").write_bytes(jpeg(QUERY[:, 20:], quality=70))
    publish(tmp_path / "store", tmp_path / "later")
    (again,) = check(store)
    assert [photo.photo_id for photo in again.found.photos] == ["again.jpg"]
    (listed,) = described(store, [watched])
    assert [(one["snapshot"], one["photo_id"]) for one in listed["found"]] == [(2, "1.jpg"), (3, "again.jpg")]


def test_all_copies_are_told_by_the_first_check(store: Store, tmp_path: Path):
    """Also those that one lookup has no room for: the next check would call them new."""
    watch(store)
    (tmp_path / "later").mkdir()
    for quality in range(70, 83):
        (tmp_path / "later" / f"{quality}.jpg").write_bytes(jpeg(QUERY, quality=quality))
    publish(tmp_path / "store", tmp_path / "later")
    (new,) = check(store)
    assert sorted(one.photo_id for one in new.found.photos) == [f"{quality}.jpg" for quality in range(70, 83)]
    assert check(store) == []


def test_what_could_not_be_written_is_told_again(store: Store, tmp_path: Path):
    """Who lets a find go unread finds it by the next check; what was read is told once, of the same snapshot too."""
    watched = watch(store)
    publish(tmp_path / "store", tmp_path / "later", 1)
    checking = check_watched(store, on_problem=pytest.fail)
    assert next(iter(checking)).watched == watched
    checking.close()
    assert len(check(store)) == 1
    assert check(store) == []


def test_a_find_does_not_take_the_place_of_another(store: Store):
    """Both are on record, though they are of one snapshot."""
    watched = watch(store)
    photos = [FoundPhoto(content_sha256=letter * 64, **FOUND) for letter in "ab"]
    for photo in photos:
        found = Found(watch_id=watched.watch_id, snapshot=1, created_at=watched.created_at, photos=[photo])
        record_found(store, found)
    assert sorted(one.photos[0].content_sha256[0] for one in read_found(store, watched.watch_id)) == ["a", "b"]


def test_a_retracted_photo_is_neither_told_nor_listed(store: Store, tmp_path: Path):
    """Before it is found, and after."""
    watched = watch(store)
    publish(tmp_path / "store", tmp_path / "later", 1)
    (new,) = check(store)
    content = new.found.photos[0].content_sha256
    add_retraction(store, [RetractedPhoto(archive="a", photo_id="1.jpg", content_sha256=content)], why="a court order")
    (listed,) = described(store, [watched])
    assert listed["found"] == []
    add_retraction(store, [], why="", undoes=1)
    other = RetractedPhoto(archive="another", photo_id="1.jpg", content_sha256="0" * 64)
    add_retraction(store, [other], why="a court order")
    assert len(next(described(store, [watched]))["found"]) == 1
    add_retraction(store, [replace(other, archive=new.found.photos[0].archive)], why="a court order")
    assert next(described(store, [watched]))["found"] == []
    remove_watched(store, watched.watch_id)
    watch(store)
    assert check(store) == []


def test_a_photo_is_watched_once(store: Store):
    """By its bytes; when it is removed nothing of it is left, and it may be watched again."""
    watched = watch(store)
    assert watch_photo(store, "another name", CROP) is None
    remove_watched(store, watched.watch_id)
    assert not (Path(store.uri) / watched_directory(watched.watch_id)).exists()
    with pytest.raises(InputNotFoundError, match=f"no watched query {watched.watch_id}"):
        remove_watched(store, watched.watch_id)
    assert watch(store).watch_id != watched.watch_id


def test_only_who_asks_for_it_keeps_the_photo(store: Store):
    """Without it no more than features and a small frame lie in the store."""
    watched = watch(store)
    folder = Path(store.uri) / watched_directory(watched.watch_id)
    assert sorted(path.name for path in folder.iterdir()) == ["features.npz", "frame.jpg", "watched.json"]
    assert CROP not in [path.read_bytes() for path in folder.iterdir()]
    remove_watched(store, watched.watch_id)
    assert watch(store, keep_photo=True).keeps_photo


def test_a_damaged_query_stands_in_nobodys_way(store: Store, tmp_path: Path):
    """It is told, and the others are looked up."""
    broken, unreadable = watch(store), watch(store, data=jpeg(QUERY[::2, ::2]))
    lost = watch(store, data=jpeg(QUERY[::3, ::3]))
    whole = watch(store, data=jpeg(QUERY[10:340]))
    (Path(store.uri) / watched_directory(broken.watch_id) / "features.npz").write_bytes(b"")
    (Path(store.uri) / watched_directory(unreadable.watch_id) / "watched.json").write_bytes(b"{}")
    (Path(store.uri) / watched_directory(lost.watch_id) / "frame.jpg").unlink()
    publish(tmp_path / "store", tmp_path / "later", 1)
    problems: list[str] = []
    assert [new.watched for new in check(store, problems)] == [whole]
    assert {broken.watch_id, unreadable.watch_id, lost.watch_id} == {line.split()[2] for line in problems}
    assert f"frame.jpg is missing or empty; `firstseen watch remove {lost.watch_id}`, and add it again" in " ".join(
        problems
    )
    assert len(list_watched(store)[0]) == 3


def test_a_query_of_which_nothing_is_watched_opens_no_snapshot(store: Store, monkeypatch: pytest.MonkeyPatch):
    """An index job without any pays a listing."""
    monkeypatch.setattr("serving.watch.Searcher", None)
    assert check(store) == []


def test_a_watched_photo_whose_rule_is_another_is_told(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Its features cannot be compared; with its photo they are made anew."""
    watch(store)
    watch(store, data=jpeg(QUERY[20:]), keep_photo=True)
    monkeypatch.setattr("serving.watch.FEATURE_RULE", 99)
    problems: list[str] = []
    assert check(store, problems) == []
    assert len(problems) == 1
    assert "features were made by rule" in problems[0]
    assert ArtifactRefusedError.exit_code == 5
