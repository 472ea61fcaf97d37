"""Finds a photo of the desk's archive and the error line of a command, for tests of the command line."""

import pytest

from tests.conftest import Desk


def one_error_line(capsys: pytest.CaptureFixture) -> str:
    """Returns the last line of stderr, which must be the only one that names the program."""
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("firstseen:")]
    assert len(lines) == 1
    return lines[0]


def photo_of(desk: Desk, number: int = 0) -> str:
    """Returns the path of one photo of the archive."""
    return str(sorted(desk.archive.rglob("*.jpg"))[number])
