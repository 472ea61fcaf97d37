"""What `firstseen lookup` writes, by the command itself."""

import io
import os
from pathlib import Path

import pytest

from firstseen.commands.running import run
from tests.conftest import Desk
from tests.photos import jpeg, scene


def query_of(folder: Path) -> Path:
    """Writes a photo to ask for, and returns its path."""
    path = folder / "queries" / "photo.jpg"
    path.parent.mkdir()
    path.write_bytes(jpeg(scene(0)))
    return path


@pytest.mark.parametrize("flag", ["--output", "--decode", "--evidence"])
@pytest.mark.parametrize("place", ["{store}/new", "{query}", "{queries}/new"])
def test_uris_open_no_way_around_the_guard(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture, flag: str, place: str
) -> None:
    """A `file://` store and a `file://` query are as safe as plain paths, from both flags."""
    query = query_of(tmp_path)
    named = place.format(store=desk.store, query=query, queries=query.parent)
    target = query.parent if place.endswith("queries}/new") else query
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    command = ["lookup", target.as_uri(), "--store", desk.store.as_uri(), "--format", "json", flag, named]
    assert run(command) == 2
    assert "choose another place" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_photo_named_on_stdin_is_safe(
    live_desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name is read after everything was checked; the output has not taken its place yet."""
    query = query_of(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{query}\n"))
    command = ["lookup", "-", "--store", str(live_desk.store), "--format", "csv", "--output", str(query)]
    assert run(command) == 2
    assert f"output {query} lies among the queries" in capsys.readouterr().err
    assert query.read_bytes() == jpeg(scene(0))
    assert os.listdir(query.parent) == ["photo.jpg"]


def test_decode_without_a_match_makes_no_folder(live_desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """Rejected queries have nothing to decode, and the message says so."""
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    command = ["lookup", str(tmp_path / "broken.jpg"), "--store", str(live_desk.store)]
    assert run([*command, "--decode", str(tmp_path / "new")]) == 4
    said = capsys.readouterr().err
    assert f"nothing was written to {tmp_path / 'new'}" in said
    assert "holds the matches" not in said
    assert os.listdir(tmp_path) == ["broken.jpg"]


@pytest.mark.parametrize(("decode", "evidence"), [("new", "new"), ("new/inner", "new"), ("new", "new/inner")])
def test_two_folders_are_never_one(
    live_desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture, decode: str, evidence: str
) -> None:
    """Neither lies in the other: each is new, and holds one kind of file."""
    command = ["lookup", str(query_of(tmp_path)), "--store", str(live_desk.store)]
    flags = ["--decode", str(tmp_path / decode), "--evidence", str(tmp_path / evidence)]
    assert run([*command, *flags]) != 0
    assert "firstseen: " in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path)) == ["queries"]


def test_evidence_without_a_copy_makes_no_folder(
    live_desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """What was rejected is no copy, and the message says so."""
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    command = ["lookup", str(tmp_path / "broken.jpg"), "--store", str(live_desk.store)]
    assert run([*command, "--evidence", str(tmp_path / "new")]) == 4
    assert f"no copy was found: there is no evidence, and nothing was written to {tmp_path / 'new'}" in (
        capsys.readouterr().err
    )
    assert os.listdir(tmp_path) == ["broken.jpg"]
