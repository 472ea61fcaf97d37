"""Tests the progress of long work without a terminal, on one, and on one that cannot move its cursor."""

import io
import re

import pytest

from firstseen.commands import progress
from firstseen.commands.progress import ProgressLine
from firstseen.commands.running import run
from firstseen.commands.streams import tell
from foundation.errors import UsageError
from tests.conftest import REPOSITORY


class Terminal(io.StringIO):
    """A stderr that claims to be a terminal."""

    def isatty(self) -> bool:
        """A bar is drawn only on a terminal."""
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, set by the test."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_without_a_terminal_a_line_comes_every_thirty_seconds(clock: list[float], capsys: pytest.CaptureFixture):
    """It names rate, rejects and time left; a log is not flooded."""
    with ProgressLine("encoding") as progress:
        for second in range(65):
            clock[0] = 100.0 + second
            progress.show(1_000, 9 * second, second)
    assert capsys.readouterr().err.splitlines() == [
        "encoding: 300 of 1,000 photos, 10/s, 30 rejected, 0:01:10 left",
        "encoding: 600 of 1,000 photos, 10/s, 60 rejected, 0:00:40 left",
    ]


def test_before_the_first_photo_the_time_left_is_unknown(clock: list[float], capsys: pytest.CaptureFixture):
    """No rate, no promise."""
    with ProgressLine("decoding") as progress:
        clock[0] += 31
        progress.show(10, 0, 0)
    assert "time left unknown" in capsys.readouterr().err


def test_on_a_terminal_there_is_a_bar(monkeypatch: pytest.MonkeyPatch):
    """The last state stays: all photos, with rejects."""
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with ProgressLine("encoding") as progress:
        progress.show(10, 5, 0)
        progress.show(10, 9, 1)
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue()).strip().splitlines()[-1]
    assert "10/10" in last
    assert "1 rejected" in last


def test_the_rate_counts_from_the_first_photo(clock: list[float], capsys: pytest.CaptureFixture):
    """Ten seconds of loading a model before it make no photo slow."""
    with ProgressLine("encoding") as progress:
        for second in range(41):
            clock[0] = 100.0 + second
            progress.show(1_000, 10 * max(0, second - 10), 0)
    assert capsys.readouterr().err == "encoding: 200 of 1,000 photos, 10/s, 0 rejected, 0:01:20 left\n"


def test_a_dumb_terminal_gets_plain_lines(clock: list[float], monkeypatch: pytest.MonkeyPatch):
    """It would show a bar only when all is over."""
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "dumb")
    with ProgressLine("encoding") as progress:
        clock[0] += 31
        progress.show(10, 5, 0)
    assert screen.getvalue().startswith("encoding: 5 of 10 photos")


def test_an_error_stands_below_the_bar(monkeypatch: pytest.MonkeyPatch):
    """What is told while the bar moves stands above it, the error that ends it in a line of its own below."""
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")

    def fail(*_: object) -> None:
        with ProgressLine("checking") as progress:
            progress.show(10, 5, 0)
            tell("half of it is done")
            raise UsageError("this cannot work; expected something else")

    monkeypatch.setattr("foundation.store.status.read_status", fail)
    assert run(["status", "--store", str(REPOSITORY)]) == 2
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue()).splitlines()
    assert "half of it is done" in lines
    assert lines[-2].startswith("checking ")
    assert "5/10" in lines[-2]
    assert lines[-1] == "firstseen: this cannot work; expected something else"
