"""The verb purge: what is asked, withdrawn, removed and proved."""

from pathlib import Path

import pytest

from firstseen.commands.running import run
from foundation.store.files import Store
from foundation.store.retractions import read_retractions
from foundation.store.snapshots import read_snapshot
from tests.conftest import Desk
from tests.firstseen.desk import one_error_line
from tests.photos import jpeg, noise

WHY = ["--why", "a court order"]


@pytest.fixture
def name(desk: Desk) -> str:
    """The photo_id of the first photo."""
    return str(min(desk.archive.rglob("*.jpg")).relative_to(desk.archive))


def test_a_purge_withdraws_removes_and_proves(desk: Desk, name: str, capsys: pytest.CaptureFixture) -> None:
    """The photo itself is not found afterwards, and the store verifies."""
    store = str(desk.store)
    assert run(["purge", name, "--store", store, *WHY, "--yes"]) == 0
    found = capsys.readouterr()
    assert "files read: no trace" in found.out
    assert "1 content purged" in found.err
    assert read_snapshot(Store(store)).photos == 9
    assert [one.why for one in read_retractions(Store(store))] == ["a court order"]
    assert run(["lookup", str(Path(desk.archive, name)), "--store", store, "--format", "jsonl"]) == 0
    # The pictures of this store are too plain to be told apart by anything but their bytes.
    assert '"status": "not_matchable"' in capsys.readouterr().out
    assert run(["verify", "--store", store]) == 0


def test_a_purge_may_be_run_again(desk: Desk, name: str, capsys: pytest.CaptureFixture) -> None:
    """The list of retractions still knows the photo: nothing else does, and one entry is enough."""
    store = str(desk.store)
    for _ in range(2):
        assert run(["purge", name, "--store", store, *WHY, "--yes"]) == 0
        assert "files read: no trace" in capsys.readouterr().out
    assert len(read_retractions(Store(store))) == 1


def test_nothing_is_purged_unless_somebody_agrees(desk: Desk, name: str, capsys: pytest.CaptureFixture) -> None:
    """Nobody can take it back; what would go is shown."""
    store = str(desk.store)
    assert run(["purge", name, "--store", store, *WHY]) == 2
    found = capsys.readouterr()
    assert name in found.out
    assert "expected a terminal to confirm it on, or --yes" in found.err
    assert read_retractions(Store(store)) == []


def test_an_unknown_photo_is_told(desk: Desk, capsys: pytest.CaptureFixture) -> None:
    """Nothing is withdrawn."""
    assert run(["purge", "unknown.jpg", "--store", str(desk.store), *WHY, "--yes"]) == 4
    assert "no photo unknown.jpg" in one_error_line(capsys)


def test_a_reason_is_asked_for(desk: Desk, name: str, capsys: pytest.CaptureFixture) -> None:
    """It stays on the list."""
    assert run(["purge", name, "--store", str(desk.store), "--why", " ", "--yes"]) == 2
    assert "expected --why TEXT" in one_error_line(capsys)


def test_a_photo_of_a_night_that_was_rolled_back_is_purged(desk: Desk, capsys: pytest.CaptureFixture) -> None:
    """The live snapshot does not know it; its shards and the segments of an older snapshot do."""
    store, photo = str(desk.store), desk.archive / "late.jpg"
    photo.write_bytes(jpeg(noise(77)))
    try:
        assert run(["encode", str(desk.archive), "--store", store]) == 0
    finally:
        photo.unlink()  # other tests read the archive, too
    assert run(["index", "--store", store]) == 0
    assert run(["rollback", "--store", store]) == 0
    assert run(["retract", "late.jpg", "--store", store, *WHY]) == 0
    capsys.readouterr()
    assert run(["purge", "late.jpg", "--store", store, *WHY, "--yes"]) == 0
    found = capsys.readouterr()
    assert "1 content purged: 2 files of runs written anew, 1 segment built anew or removed" in found.err
    assert run(["verify", "--store", store]) == 0
