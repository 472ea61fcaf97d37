"""Tests the verbs that look after a store."""

import json

import pytest

from firstseen.commands.running import run
from tests.conftest import Desk
from tests.firstseen.desk import one_error_line, photo_of


def test_status_as_text_and_json(live_desk: Desk, capsys: pytest.CaptureFixture):
    """Both name the snapshot; the JSON has the numbers."""
    assert run(["status", "--store", str(live_desk.store)]) == 0
    assert "snapshot   1" in capsys.readouterr().out
    assert run(["status", "--store", str(live_desk.store), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["snapshot"]["number"] == 1
    assert found["runs_not_indexed"] == []


@pytest.mark.parametrize("verb", ["lookup", "verify"])
def test_a_damaged_segment_is_exit_code_5(desk: Desk, capsys: pytest.CaptureFixture, verb: str):
    """One flipped bit is named with its file."""
    vectors = next(desk.store.glob("segments/*/vectors.npy"))
    data = bytearray(vectors.read_bytes())
    data[-1] ^= 1
    vectors.write_bytes(data)
    query = [photo_of(desk)] if verb == "lookup" else []
    assert run([verb, *query, "--store", str(desk.store)]) == 5
    assert "vectors.npy is damaged" in one_error_line(capsys)


def test_verify_finds_damage_anywhere_in_the_chain(desk: Desk, capsys: pytest.CaptureFixture):
    """Encoder, run and segment files, and their descriptions, are all covered by the snapshot's digests."""
    files = [path for path in desk.store.rglob("*") if path.is_file() and path.parent.name != "snapshots"]
    for path in files:
        original = path.read_bytes()
        path.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
        assert run(["verify", "--store", str(desk.store)]) == 5, path
        path.write_bytes(original)
    assert run(["verify", "--store", str(desk.store)]) == 0
    assert "is whole" in capsys.readouterr().out


def test_a_lost_race_is_exit_code_6(desk: Desk, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    """Somebody else's rollback is published first."""
    (desk.store / "snapshots" / "2.json").write_bytes((desk.store / "snapshots" / "1.json").read_bytes())
    monkeypatch.setattr("foundation.store.rollback.snapshot_numbers", lambda store: [1])
    assert run(["rollback", "--store", str(desk.store), "--to", "1"]) == 6
    assert "run again" in one_error_line(capsys)
