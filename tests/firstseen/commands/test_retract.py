"""The verb retract: what is chosen, asked, written and shown."""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from firstseen.commands.running import run
from foundation.store.files import Store
from foundation.store.retractions import read_retractions
from tests.firstseen.desk import one_error_line
from tests.photos import jpeg, noise
from tests.segments import add_segment, held, occurrence, publish_segments

FILES = {name: jpeg(noise(seed)) for seed, name in enumerate("ab")}
WHY = ["--why", "a court order"]


@pytest.fixture
def answering(store: Path, only_encoder: Callable[[Path], str], tmp_path: Path) -> tuple[str, str]:
    """A store of two contents, of which a lies in two archives; and a file with the bytes of a."""
    opened, encoder_id = Store(store), only_encoder(store)
    rows = [
        held("a", occurrence("a.jpg"), occurrence("again.jpg", "s3://b"), content_sha256=sha256("a")),
        held("b", occurrence("b.jpg"), content_sha256=sha256("b")),
    ]
    publish_segments(opened, encoder_id, add_segment(opened, encoder_id, "one", rows))
    (tmp_path / "query.jpg").write_bytes(FILES["a"])
    return str(store), str(tmp_path / "query.jpg")


def sha256(name: str) -> bytes:
    """Returns the content hash of a photo."""
    return hashlib.sha256(FILES[name]).digest()


def retracted(store: str) -> list[list[str]]:
    """Returns the names on the list, entry by entry."""
    return [[photo.photo_id for photo in one.photos] for one in read_retractions(Store(store))]


def test_a_photo_is_retracted_by_its_name(answering: tuple[str, str], capsys: pytest.CaptureFixture):
    """The line says what, why and which content; the next lookup does not name it."""
    store, query = answering
    assert run(["retract", "a.jpg", "--store", store, *WHY]) == 0
    said = capsys.readouterr().err
    assert "1 photo in 1 content, because: a court order; live within 60 s everywhere" in said
    assert f"a.jpg  file:///archive  SHA-256 {sha256('a').hex()}" in said
    assert retracted(store) == [["a.jpg"]]
    assert run(["lookup", query, "--store", store, "--format", "jsonl"]) == 0
    assert "again.jpg" not in capsys.readouterr().out


def test_an_archive_is_named_by_its_path_too(answering: tuple[str, str]):
    """As it was given to reindex: a path, with or without a slash at its end, or its address."""
    store, _ = answering
    for archive in ("/nowhere", "/archive/"):
        assert run(["retract", "a.jpg", "--store", store, *WHY, "--archive", archive]) == (archive == "/nowhere") * 4
    assert run(["retract", "again.jpg", "--store", store, *WHY, "--archive", "s3://b/"]) == 0
    assert retracted(store) == [["a.jpg"], ["again.jpg"]]


def test_all_copies_of_a_photo_are_retracted(answering: tuple[str, str], capsys: pytest.CaptureFixture):
    """They are shown on stdout: verdict, score, date, name and place."""
    store, query = answering
    assert run(["retract", "--like", query, "--store", store, *WHY, "--yes"]) == 0
    shown = capsys.readouterr().out
    assert "identical   1.000  unknown     a.jpg  file:///archive/a.jpg" in shown
    assert "identical   1.000  unknown     again.jpg  s3://b/again.jpg" in shown
    assert retracted(store) == [["a.jpg", "again.jpg"]]


@pytest.mark.parametrize(("answer", "code", "entries"), [("y\n", 0, 1), ("n\n", 2, 0), ("", 2, 0)])
def test_a_terminal_is_asked(
    answering: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    answer: str,
    code: int,
    entries: int,
):
    """Whoever does not say yes writes nothing."""
    store, query = answering
    terminal = io.StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    assert run(["retract", "--like", query, "--store", store, *WHY]) == code
    assert len(retracted(store)) == entries
    assert "again.jpg" in capsys.readouterr().out


def test_without_a_terminal_nobody_can_be_asked(answering: tuple[str, str], monkeypatch, capsys: pytest.CaptureFixture):
    """The copies are shown, and nothing is written."""
    store, query = answering
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert run(["retract", "--like", query, "--store", store, *WHY]) == 2
    assert retracted(store) == []
    found = capsys.readouterr()
    assert "again.jpg" in found.out
    assert "expected a terminal to confirm it on, or --yes" in found.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["c.jpg", *WHY], 4, "no photo c.jpg in the live snapshot"),
        (["a.jpg"], 2, "no reason was given; expected --why TEXT"),
        (["a.jpg", "--why", " "], 2, "no reason was given; expected --why TEXT"),
        ([*WHY], 2, "nothing was given; expected one of: ID…, --like, --undo, --list"),
        (["a.jpg", "--list"], 2, "ID and --list was given; expected one of"),
        (["--like", "query.jpg", "--archive", "s3://b", *WHY], 2, "--archive was given with --like, where it does"),
        (["--list", *WHY], 2, "--why was given with --list, where it does nothing; expected it with ID…, --like or"),
        (["--list", "--archive", "s3://b"], 2, "--archive was given with --list"),
        (["--list", "--yes"], 2, "--yes was given with --list, where it does nothing; expected it with --like"),
        (["a.jpg", "--yes", *WHY], 2, "--yes was given with ID"),
        (["a.jpg", "--format", "table", *WHY], 2, "--format was given with ID"),
        (["--undo", "1", *WHY], 4, "no retraction 1 to undo; expected one of: none"),
    ],
)
def test_what_cannot_be_retracted_is_told(
    answering: tuple[str, str], capsys: pytest.CaptureFixture, arguments: list[str], code: int, said: str
):
    """In one line, and nothing is written."""
    store, _ = answering
    assert run(["retract", *arguments, "--store", store]) == code
    assert said in one_error_line(capsys)
    assert retracted(store) == []


def test_a_photo_without_copies_is_exit_code_4(answering: tuple[str, str], tmp_path: Path, capsys):
    """As is a file that is no photo."""
    store, _ = answering
    (tmp_path / "other.jpg").write_bytes(jpeg(noise(99)))
    (tmp_path / "none.jpg").write_bytes(b"<html>")
    assert run(["retract", "--like", str(tmp_path / "other.jpg"), "--store", store, *WHY]) == 4
    assert "no copy of " in one_error_line(capsys)
    assert run(["retract", "--like", str(tmp_path / "none.jpg"), "--store", store, *WHY]) == 4
    assert "not_a_photo" in one_error_line(capsys)


def test_what_is_on_the_list_is_not_added_again(answering: tuple[str, str], capsys: pytest.CaptureFixture):
    """A cron job may retract the same photos every night."""
    store, _ = answering
    for _ in range(2):
        assert run(["retract", "a.jpg", "--store", store, *WHY]) == 0
    assert "nothing to do: 1 photo is on the list of retractions already" in capsys.readouterr().err
    assert run(["retract", "a.jpg", "b.jpg", "--store", store, *WHY]) == 0
    assert retracted(store) == [["a.jpg"], ["b.jpg"]]


def test_a_retraction_is_undone(answering: tuple[str, str], capsys: pytest.CaptureFixture):
    """It stays on the list, and the photo is found again; it can be undone once, and retracted once more."""
    store, query = answering
    assert run(["retract", "a.jpg", "--store", store, *WHY]) == 0
    assert run(["retract", "--undo", "1", "--store", store, "--why", "the wrong photo"]) == 0
    assert "retraction 2 of " in capsys.readouterr().err
    assert run(["lookup", query, "--store", store, "--format", "jsonl"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["photo_id"] == "a.jpg"
    assert run(["retract", "--undo", "1", "--store", store, *WHY]) == 4
    assert run(["retract", "--undo", "2", "--store", store, *WHY]) == 4
    assert run(["retract", "a.jpg", "--store", store, *WHY]) == 0
    assert retracted(store) == [["a.jpg"], [], ["a.jpg"]]


def test_the_list_is_shown(answering: tuple[str, str], capsys: pytest.CaptureFixture):
    """Number, time, reason and photos, for people and for programs."""
    store, _ = answering
    for arguments in (["a.jpg", *WHY], ["b.jpg", *WHY], ["--undo", "1", "--why", "the wrong photo"]):
        assert run(["retract", *arguments, "--store", store]) == 0
    capsys.readouterr()
    assert run(["retract", "--list", "--store", store]) == 0
    shown = capsys.readouterr().out
    for text in (
        "undone by 3: a court order",
        "undoes 1: the wrong photo",
        f"b.jpg  file:///archive  {sha256('b').hex()[:12]}",
    ):
        assert text in shown
    assert run(["retract", "--list", "--format", "json", "--store", store]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert [(one["number"], one["why"], one["undoes"]) for one in entries] == [
        (1, "a court order", None),
        (2, "a court order", None),
        (3, "the wrong photo", 1),
    ]
