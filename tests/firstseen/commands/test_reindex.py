"""Tests what the verbs of a nightly run tell: what changed, what was left out, and what to type next."""

import shlex
from pathlib import Path

import pytest

from firstseen.commands.running import run
from foundation.errors import ArtifactRefusedError, TemporaryError
from foundation.store.snapshots import live_snapshot, snapshot_numbers
from pipelines.encode import chunks
from pipelines.reindex import job
from tests.firstseen.desk import one_error_line
from tests.nights import Nights, make_nights


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """A store with three photos that are live; encoding takes milliseconds."""
    nights = make_nights(tmp_path, monkeypatch)
    for number in range(3):
        nights.put(f"{number}.jpg", number)
    nights.night()
    return nights


def reindex(nights: Nights, options: str = "", *, verb: str = "reindex") -> int:
    """Runs a verb on the archive; returns its exit code."""
    named = ["--store", nights.store.uri, "--features", "none", *shlex.split(options)]
    return run([verb, str(nights.folder / "archive"), *named])


def index(nights: Nights, options: str = "") -> int:
    """Runs `index`; returns its exit code."""
    return run(["index", "--store", nights.store.uri, *shlex.split(options)])


def test_a_night_tells_what_became_of_every_photo(nights: Nights, capsys: pytest.CaptureFixture):
    """On stderr, each kind by its name; stdout stays empty."""
    nights.path("0.jpg").rename(nights.path("moved.jpg"))
    nights.path("1.jpg").unlink()
    nights.put("new.jpg", 4)
    nights.put("copy.jpg", 2)
    (nights.folder / "catalog.csv").write_text("photo_id,caption\n2.jpg,corrected\n")
    assert reindex(nights, f"--catalog {nights.folder / 'catalog.csv'}") == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "listed 4 = embedded 1 + exact duplicates 1 + renamed 1 + unchanged 1 + rejected 0" in told.err
    assert "dates or words changed: 1; removed: 2" in told.err
    assert "the catalog names 1 of them" in told.err
    assert "snapshot 2 is live: 4 photos" in told.err
    assert told.err.splitlines()[-1] == f"next: firstseen lookup PHOTO --store {nights.store.uri}"


def test_a_merge_that_fails_is_a_warning(
    nights: Nights, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    """What the night found is live, and its exit code says so."""

    def fails(*_: object, **__: object) -> None:
        raise ArtifactRefusedError("recall under the bar")

    monkeypatch.setattr(job, "compact_due", fails)
    nights.put("new.jpg", 4)
    assert reindex(nights) == 0
    told = capsys.readouterr().err
    assert "snapshot 2 is live: 4 photos" in told
    assert "warning: segments were not merged, and the next reindex tries again: recall under the bar" in told


def test_a_night_without_changes_says_so(nights: Nights, capsys: pytest.CaptureFixture):
    """Nothing is written, and the snapshot stays."""
    assert reindex(nights) == 0
    told = capsys.readouterr().err
    assert "nothing has changed since that run, and nothing was written" in told
    assert "nothing to index" in told
    assert snapshot_numbers(nights.store) == [1]


def test_an_archive_that_lost_most_of_its_photos_is_refused(nights: Nights, capsys: pytest.CaptureFixture):
    """Exit code 2 names the option, and with it the archive is what it is."""
    for number in range(3, 40):
        nights.put(f"{number}.jpg", number)
    assert reindex(nights) == 0
    for number in range(36):
        nights.path(f"{number}.jpg").unlink()
    capsys.readouterr()
    assert reindex(nights) == 2
    assert "of the 40 that it had 36 are gone" in one_error_line(capsys)
    assert reindex(nights, "--allow-shrink") == 0
    assert "snapshot 3 is live: 4 photos" in capsys.readouterr().err


def test_rejects_are_read_again_when_asked_for(nights: Nights, capsys: pytest.CaptureFixture):
    """By the run that rejected them; an unknown run is exit code 4."""
    nights.put("broken.jpg", 0).write_bytes(b"<html>")
    assert reindex(nights, "--max-rejects 1") == 0
    run_id = capsys.readouterr().err.split("run ")[1].split()[0]
    nights.read.clear()
    assert reindex(nights, f"--max-rejects 1 --retry-rejects {run_id}") == 0
    assert nights.read == ["broken.jpg"]
    capsys.readouterr()
    assert reindex(nights, "--retry-rejects nope") == 4
    assert "run nope" in one_error_line(capsys)


def test_a_full_disk_is_exit_code_75_and_the_next_run_goes_on(
    nights: Nights, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """What is finished is not done again."""
    for number in range(3, 3 + 513):
        nights.put(f"{number:03}.jpg", 3)
    write = chunks.write_outcomes

    def full(store, path, *arguments):
        if path.endswith("1.parquet"):
            raise TemporaryError("cannot write: No space left on device; free some space and run again")
        return write(store, path, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(chunks, "write_outcomes", full)
        assert reindex(nights) == 75
    assert "No space left" in one_error_line(capsys)
    nights.read.clear()
    assert reindex(nights) == 0
    assert len(nights.read) == 1


def test_a_bad_run_is_left_out_and_taken_up(nights: Nights, capsys: pytest.CaptureFixture):
    """An index without anything else to do says what is left out, and how to take it up."""
    nights.put("bad.jpg", 9)
    assert reindex(nights, verb="encode") == 0
    run_id = capsys.readouterr().err.split("run ")[1].split()[0]
    assert index(nights, f"--leave-out {run_id}") == 0
    capsys.readouterr()
    assert index(nights) == 0
    told = capsys.readouterr().err
    assert f"left out, and taken up with --take-up alone: {run_id}" in told
    assert "snapshot 2 is live: 3 photos" in told
    assert index(nights, f"--take-up {run_id}") == 0
    assert "snapshot 3 is live: 4 photos" in capsys.readouterr().err
    assert index(nights, "--leave-out nope") == 4
    assert "has no run nope" in one_error_line(capsys)


def test_a_rollback_says_what_it_leaves_out(nights: Nights, capsys: pytest.CaptureFixture):
    """And the next index does not take it up."""
    nights.put("late.jpg", 9)
    assert reindex(nights) == 0
    run_id = capsys.readouterr().err.split("run ")[1].split()[0]
    assert run(["rollback", "--store", nights.store.uri]) == 0
    told = capsys.readouterr()
    assert "snapshot 3 is live: rollback to 1, 3 photos" in told.out
    assert f"it leaves out 1 run: {run_id}" in told.err
    assert "`firstseen index --take-up RUN` does" in told.err
    assert index(nights) == 0
    live = live_snapshot(nights.store)
    assert live
    assert (live.number, live.left_out) == (3, [run_id])


def test_a_damaged_run_is_told_and_passed_over(nights: Nights, capsys: pytest.CaptureFixture):
    """The others are indexed."""
    nights.put("late.jpg", 9)
    result = nights.encode()
    (nights.store.local_root / result.run.directory / "run.json").write_bytes(b"{")
    nights.put("o.jpg", 5, archive="other")
    nights.encode("other")
    assert index(nights) == 0
    told = capsys.readouterr().err
    assert f"run {result.run.run_id} is passed over, it cannot be read: " in told
    assert "snapshot 2 is live: 4 photos" in told
