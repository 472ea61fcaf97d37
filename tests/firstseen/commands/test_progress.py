"""Progress without a terminal, and on one."""

import io
import re

import pytest

from firstseen.commands import progress
from firstseen.commands.progress import ProgressLine


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
        "encoding: 300 of 1,000 photos, 10/s, 30 rejected, 70 s left",
        "encoding: 600 of 1,000 photos, 10/s, 60 rejected, 40 s left",
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
