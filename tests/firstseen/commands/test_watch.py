"""The verb watch, lookup --watch, and what index and reindex say of watched queries."""

import json
from pathlib import Path
from unittest.mock import Mock

import pytest

from firstseen.commands.running import run
from foundation.errors import TemporaryError
from foundation.store.files import Store
from foundation.store.ignored import read_ignored
from foundation.store.snapshots import snapshot_numbers
from foundation.store.watched import list_watched
from serving import ignore, queries, watch
from tests.firstseen.desk import one_error_line
from tests.photos import jpeg, write_archive
from tests.serving.match.pictures import scene


@pytest.fixture
def asked(tmp_path: Path) -> str:
    """A photo that no archive has yet."""
    (tmp_path / "asked.jpg").write_bytes(jpeg(scene(1)[40:320, 60:430], quality=80))
    return str(tmp_path / "asked.jpg")


def test_a_query_without_a_match_is_answered_by_the_next_index(
    store: Path, tmp_path: Path, asked: str, capsys: pytest.CaptureFixture
):
    """lookup --watch keeps it; reindex says so on stdout, and in a line; the list shows it, and then it is removed."""
    place = ["--store", str(store)]
    write_archive(tmp_path / "archive", photos=3)
    assert run(["reindex", str(tmp_path / "archive"), *place]) == 0
    assert run(["lookup", asked, *place, "--watch", "--format", "jsonl"]) == 0
    assert "asked.jpg: watched as " in capsys.readouterr().err
    assert run(["lookup", asked, *place, "--watch", "--format", "jsonl"]) == 0
    assert "asked.jpg: watched already" in capsys.readouterr().err
    (tmp_path / "archive" / "new.jpg").write_bytes(jpeg(scene(1)))
    assert run(["reindex", str(tmp_path / "archive"), *place]) == 0
    said = capsys.readouterr()
    (row,) = map(json.loads, said.out.splitlines())
    assert (row["photo_id"], row["verdict"], row["snapshot"], row["query"]) == ("new.jpg", "cropped", 2, asked)
    assert "now seen: " in said.err
    assert run(["watch", "list", *place]) == 0
    shown = capsys.readouterr().out
    assert "its photo is not kept" in shown
    assert "snapshot 2  cropped  new.jpg" in shown
    assert run(["watch", "remove", row["watch_id"], *place]) == 0
    assert run(["watch", "list", *place, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_an_outage_before_it_is_watched_loses_no_answer(
    store: Path, tmp_path: Path, asked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    """It is read a second time for that; the answer is there by then, and a line says that it is not watched."""
    write_archive(tmp_path / "archive", photos=3)
    assert run(["reindex", str(tmp_path / "archive"), "--store", str(store)]) == 0
    monkeypatch.setattr(queries, "read_query", Mock(side_effect=TemporaryError("its disk is away; run again later")))
    assert run(["lookup", asked, "--store", str(store), "--watch", "--format", "jsonl"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out.splitlines()[-1])["status"] == "no_match"
    assert "asked.jpg: not watched: its disk is away; run again later" in said.err


def test_what_is_known_already_is_told_at_once(store: Path, tmp_path: Path, asked: str, capsys: pytest.CaptureFixture):
    """And no more by a check, which appends to its file."""
    place = ["--store", str(store)]
    assert run(["watch", "add", asked, *place, "--note", "a reader", "--keep-photo"]) == 0
    assert capsys.readouterr().out == ""
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "new.jpg").write_bytes(jpeg(scene(1)))
    output = tmp_path / "seen.jsonl"
    output.write_text("earlier\n")
    assert run(["encode", str(tmp_path / "archive"), *place]) == 0
    assert run(["index", *place, "--watch-output", str(output)]) == 0
    assert run(["watch", "check", *place, "--watch-output", str(output)]) == 0
    assert capsys.readouterr().out == ""
    earlier, line = output.read_text().splitlines()
    assert earlier == "earlier"
    assert json.loads(line)["note"] == "a reader"
    (tmp_path / "other.jpg").write_bytes(jpeg(scene(1)[:300]))
    assert run(["watch", "add", str(tmp_path / "other.jpg"), *place]) == 0
    assert json.loads(capsys.readouterr().out)["photo_id"] == "new.jpg"


def test_what_goes_wrong_does_not_fail_what_is_published(
    store: Path, tmp_path: Path, asked: str, capsys: pytest.CaptureFixture
):
    """It is told, with the command that looks again."""
    place = ["--store", str(store)]
    assert run(["watch", "add", asked, *place]) == 0
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "new.jpg").write_bytes(jpeg(scene(1)))
    assert run(["reindex", str(tmp_path / "archive"), *place, "--watch-output", str(tmp_path)]) == 0
    assert f"firstseen watch check --store {store}" in capsys.readouterr().err
    assert run(["watch", "check", *place]) == 0
    assert json.loads(capsys.readouterr().out)["photo_id"] == "new.jpg"


def test_a_night_without_new_photos_looks_nothing_up(
    store: Path, tmp_path: Path, asked: str, monkeypatch: pytest.MonkeyPatch
):
    """The whole index would be read for nothing; whoever asks for a check gets it."""
    place, checks = ["--store", str(store)], Mock(return_value=iter(()))
    write_archive(tmp_path / "archive", photos=3)
    assert run(["watch", "add", asked, *place]) == 0
    monkeypatch.setattr(watch, "check_watched", checks)
    assert run(["reindex", str(tmp_path / "archive"), *place]) == 0
    assert checks.call_count == 1
    photo = next((tmp_path / "archive").rglob("*.jpg"))
    photo.rename(photo.with_name("moved.jpg"))
    assert run(["reindex", str(tmp_path / "archive"), *place]) == 0
    assert (checks.call_count, len(snapshot_numbers(Store(store)))) == (1, 2)
    assert run(["watch", "check", *place]) == 0
    assert checks.call_count == 2
    (tmp_path / "archive" / "new.jpg").write_bytes(jpeg(scene(5)))
    assert run(["reindex", str(tmp_path / "archive"), *place]) == 0
    assert checks.call_count == 3


def test_an_unknown_query_is_not_removed(store: Path, capsys: pytest.CaptureFixture):
    """In one line, as input that was not found."""
    assert run(["watch", "remove", "nobody", "--store", str(store)]) == 4
    assert "no watched query nobody" in one_error_line(capsys)


def test_a_file_that_is_no_photo_is_named(store: Path, capsys: pytest.CaptureFixture):
    """Several may be given at once."""
    assert run(["watch", "add", __file__, "--store", str(store)]) == 4
    assert f"firstseen: {__file__}: received bytes that begin with" in one_error_line(capsys)


def test_the_list_is_read_once_for_many_photos(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """However many are watched or ignored with one command; a photo that is named twice is taken once."""
    reads: list[object] = []
    listing, reading = watch.list_watched, ignore.read_ignored
    monkeypatch.setattr(watch, "list_watched", lambda store: reads.append(store) or listing(store))
    monkeypatch.setattr(ignore, "read_ignored", lambda store: reads.append(store) or reading(store))
    write_archive(tmp_path / "photos", photos=3)
    photos = sorted(map(str, (tmp_path / "photos").rglob("*.jpg")))
    assert run(["ignore", "add", *photos, photos[0], "--store", str(store)]) == 0
    assert len(reads) == 1
    assert len(read_ignored(Store(store))) == 3
    assert run(["watch", "add", *photos, photos[0], "--store", str(store)]) == 0
    # Once to add them, and once to look them up.
    assert len(reads) == 3
    assert len(list_watched(Store(store))[0]) == 3
