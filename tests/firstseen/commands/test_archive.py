"""Tests the verbs that take an archive into the store."""

from pathlib import Path

import pytest

from firstseen.commands.running import run
from tests.conftest import Desk
from tests.firstseen.desk import one_error_line


def test_rejects_above_the_limit_are_exit_code_3(store: Path, archive: Path, capsys: pytest.CaptureFixture):
    """The run is finished and usable; the line says how many and where the reasons lie."""
    (archive / "bad.jpg").write_bytes(b"")
    command = ["encode", str(archive), "--store", str(store)]
    assert run(command) == 3
    assert "9.1% of the photos were rejected, expected at most 1.0%" in one_error_line(capsys)
    assert run([*command, "--max-rejects", "0.1"]) == 0
    assert run(["index", "--store", str(store)]) == 0


@pytest.mark.parametrize(("features", "shown"), [(["--features", "none"], False), ([], True)])
def test_local_features_are_kept_unless_they_are_not_wanted(
    store: Path, archive: Path, capsys: pytest.CaptureFixture, features: list[str], shown: bool
):
    """`status` tells which it was; a lookup answers either way."""
    assert run(["encode", str(archive), "--store", str(store), *features]) == 0
    assert run(["index", "--store", str(store)]) == 0
    assert run(["status", "--store", str(store)]) == 0
    assert ("local features of 10 contents" in capsys.readouterr().out) == shown
    query = next(archive.rglob("*.jpg"))
    assert run(["lookup", str(query), "--store", str(store), "--format", "jsonl"]) == 0
    assert '"identical"' in capsys.readouterr().out


def test_a_second_index_finds_nothing_new(desk: Desk, capsys: pytest.CaptureFixture):
    """The live snapshot stays as it is, and says so."""
    assert run(["index", "--store", str(desk.store)]) == 0
    told = capsys.readouterr().err
    assert "nothing to index: the live snapshot holds every run of its encoder" in told
    assert "snapshot 1 is live: 10 photos" in told
