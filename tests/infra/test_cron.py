"""The line for cron: its five fields, its command line, and what it mails."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import REPOSITORY
from tests.infra.command_line import PROGRAM, parse

CRONTAB = REPOSITORY / "infra" / "schedule" / "cron" / "firstseen-reindex"
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


class Line(NamedTuple):
    """One line of a crontab in /etc/cron.d."""

    fields: list[str]
    user: str
    command: str


def read_crontab() -> tuple[dict[str, str], Line]:
    """Returns the variables and the one line that there is."""
    lines = [line for line in CRONTAB.read_text().splitlines() if line and not line.startswith("#")]
    variables = dict(line.split("=", 1) for line in lines if re.match(r"\w+=", line))
    (line,) = [line for line in lines if not re.match(r"\w+=", line)]
    *fields, user, command = line.split(maxsplit=6)
    return variables, Line(fields, user, command)


def test_cron_takes_the_file():
    """A name without dots, a line end after the last line, numbers in range, and no per cent sign, which ends it."""
    variables, line = read_crontab()
    assert re.fullmatch("[A-Za-z0-9_-]+", CRONTAB.name)
    assert CRONTAB.read_text().endswith("\n")
    for text, (lowest, highest) in zip(line.fields, RANGES, strict=True):
        assert text == "*" or lowest <= int(text) <= highest
    assert "%" not in line.command
    assert "@" in variables["MAILTO"]
    assert line.user == "firstseen"


def test_firstseen_takes_the_command_line():
    """What stands between the program and the log."""
    words = shlex.split(read_crontab()[1].command)
    verb, options = parse(words[words.index(PROGRAM) : words.index(">>")])
    assert verb == "reindex"
    assert (options["archive"], options["store"]) == ("/srv/photos/news", "/var/lib/firstseen/store")
    assert options["metrics_file"].suffix == ".prom"


@pytest.mark.skipif(not shutil.which("flock"), reason="no flock: apt install util-linux")
@pytest.mark.parametrize("code", [0, 3, 75])
def test_a_night_is_logged_and_only_failures_are_mailed(tmp_path: Path, code: int):
    """Cron mails what a line prints: the exit code, and where to read on."""
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$1 of $FIRSTSEEN_LOG_FORMAT" >&2\nexit {code}\n')
    program.chmod(0o755)
    variables, line = read_crontab()
    command = line.command.replace(PROGRAM, str(program))
    for folder in ("/var/lib/firstseen", "/var/log/firstseen"):
        command = command.replace(folder, str(tmp_path))
    done = subprocess.run(
        [variables.pop("SHELL"), "-c", command], env=variables, capture_output=True, text=True, check=False
    )
    assert (tmp_path / "reindex.log").read_text() == "reindex of json\n"
    log = f"see {tmp_path}/reindex.log"
    assert done.stdout == (f"firstseen reindex ended with exit code {code}; {log}\n" if code else "")
    assert done.stderr == ""
