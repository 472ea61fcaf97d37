"""Clocks that jump between nights, a day back or a year ahead: numbers and chains say what counts, and no time."""

import os
import re
import subprocess
import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from foundation.errors import TemporaryError
from foundation.store import artifact
from foundation.store.retractions import RetractedPhoto, add_retraction
from foundation.store.rollback import roll_back
from foundation.store.snapshots import live_snapshot
from foundation.store.status import read_status
from foundation.store.status_lines import describe
from pipelines.compact.job import compact_all
from pipelines.encode import chunks
from tests.nights import Found, Nights, hash_of, make_nights, picture

YEAR_DAYS = 365


class Clock(datetime):
    """The clock that names and dates of artifacts are taken from, some days off."""

    days = 0

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        """Returns the time that this clock shows."""
        return datetime.now(tz) + timedelta(days=cls.days)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    """The clock of this machine: right, until the test says otherwise."""
    monkeypatch.setattr(artifact, "datetime", Clock)
    monkeypatch.setattr(Clock, "days", 0)
    return Clock


@pytest.fixture
def nights(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, clock: type[Clock]) -> Nights:
    """An empty store, and archives beside it that are encoded in milliseconds."""
    return make_nights(tmp_path, monkeypatch)


def found_of(files: dict[str, int]) -> set[Found]:
    """Returns what is to be found, by the names and pictures of the archive."""
    return {Found("archive", name, number) for name, number in files.items()}


@pytest.mark.parametrize("jumps", [(0, -1, -1, 0), (0, YEAR_DAYS, 0, 0), (YEAR_DAYS, 0, -1, YEAR_DAYS)])
def test_nights_by_a_clock_that_jumps(nights: Nights, clock: type[Clock], jumps: tuple[int, ...]) -> None:
    """What waits is indexed in its order, the last snapshot is live, and what did not change is not decoded again."""
    files = {f"{number}.jpg": number for number in range(6)}
    for name, number in files.items():
        nights.put(name, number)
    for night, clock.days in enumerate(jumps):
        nights.night()
        assert nights.found() == found_of(files)
        for step in range(2):
            # Of the runs that wait together, the second one takes back what the first one said.
            clock.days = jumps[(night + step) % len(jumps)]
            files |= {"changed.jpg": 10 + 2 * night + step, f"new-{night}-{step}.jpg": 30 + 2 * night + step}
            for name in ("changed.jpg", f"new-{night}-{step}.jpg"):
                nights.put(name, files[name])
            nights.encode()
        nights.path(f"{night}.jpg").unlink()
        del files[f"{night}.jpg"]
        nights.decoded.clear()
        nights.night()
        assert (nights.found(), nights.decoded) == (found_of(files), [])
        if night == 2:
            compact_all(nights.store)
            assert nights.found() == found_of(files)
        status = read_status(nights.store)
        assert (status.runs_not_indexed, status.unfinished) == ([], [])
        assert not re.search(r"-\d+ (day|hour|minute)", "\n".join(describe(status)))
        assert not nights.encode().is_new


@pytest.mark.parametrize("days", [-1, YEAR_DAYS])
def test_a_snapshot_of_another_time_has_an_age_that_can_be_read(nights: Nights, clock: type[Clock], days: int) -> None:
    """Never a negative number of days."""
    nights.put("a.jpg", 0)
    clock.days = days
    nights.night()
    clock.days = 0
    (line,) = [line for line in describe(read_status(nights.store)) if line.startswith("snapshot")]
    assert ("1 day ago" if days < 0 else "in the future, by the clock of this machine") in line


@pytest.mark.parametrize("days", [0, YEAR_DAYS])
def test_a_photo_of_the_future_is_read_again(nights: Nights, clock: type[Clock], days: int) -> None:
    """It may have been replaced within the second that its time names: each night looks, until that has passed."""
    size = max(len(picture(0)), len(picture(1)))
    later = int(time.time()) + 86_400 * (days + 1)

    def write(number: int) -> None:
        nights.put("a.jpg", number).write_bytes(picture(number).ljust(size, b"\0"))
        os.utime(nights.path("a.jpg"), (later, later))

    nights.put("old.jpg", 5)
    write(0)
    clock.days = days
    nights.night()
    clock.days = 0
    write(1)
    nights.read.clear()
    assert nights.night().accounting.embedded == 1
    assert nights.read == ["a.jpg"]
    assert not nights.encode().is_new


@pytest.mark.parametrize("days", [-1, YEAR_DAYS])
def test_what_was_withdrawn_and_taken_back_comes_back(nights: Nights, clock: type[Clock], days: int) -> None:
    """Though the run that left it out seems to be of later than its coming back."""
    for name, number in {"a.jpg": 0, "b.jpg": 1}.items():
        nights.put(name, number)
    nights.night()
    archive = nights.path(".").resolve().as_uri()
    withdrawn = RetractedPhoto(archive=archive, photo_id="b.jpg", content_sha256=hash_of(1).hex())
    add_retraction(nights.store, [withdrawn], why="a test")
    clock.days = days
    nights.night()
    assert nights.found() == found_of({"a.jpg": 0})
    clock.days = 0
    add_retraction(nights.store, [], why="a mistake", undoes=1)
    nights.night()
    assert nights.found() == found_of({"a.jpg": 0, "b.jpg": 1})


def cut_off(nights: Nights, process: int) -> None:
    """Begins a run, or goes on with it, as another process, which leaves it unfinished."""

    def failing(*_: Any) -> bool:
        raise TemporaryError("No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "getpid", lambda: process)
        patch.setattr(chunks, "write_outcomes", failing)
        with pytest.raises(TemporaryError, match="No space left"):
            nights.encode()


def test_whoever_is_at_a_run_is_seen_by_any_clock(nights: Nights, clock: type[Clock]) -> None:
    """The one who went on with it seems to have done so before another one, who is gone."""
    nights.put("a.jpg", 0)
    for _ in range(2):
        with subprocess.Popen(["sleep", "60"]) as gone:
            try:
                cut_off(nights, gone.pid)
            finally:
                gone.kill()
    clock.days = -1
    cut_off(nights, os.getppid())
    clock.days = 0
    with pytest.raises(TemporaryError, match=rf"^process {os.getppid()} is encoding"):
        nights.encode()


def test_a_rollback_goes_to_the_snapshot_before(nights: Nights, clock: type[Clock]) -> None:
    """Numbers say which one that is."""
    for night, clock.days in enumerate((0, YEAR_DAYS, -1)):
        nights.put(f"{night}.jpg", night)
        nights.night()
    roll_back(nights.store)
    live = live_snapshot(nights.store)
    assert live
    assert (live.number, nights.found()) == (4, found_of({"0.jpg": 0, "1.jpg": 1}))
