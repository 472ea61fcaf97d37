"""The systemd units: taken by systemd without a word, and their command line by firstseen."""

import re
import shlex
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from firstseen.commands.interruption import EXIT_CODE, GRACE_SECONDS
from tests.conftest import REPOSITORY
from tests.infra.command_line import FINAL, PROGRAM, parse
from tests.infra.units import exposure_is_low, needs_systemd, read_environment, read_unit

FOLDER = REPOSITORY / "infra" / "schedule" / "systemd"
SERVICE, TIMER = FOLDER / "firstseen-reindex@.service", FOLDER / "firstseen-reindex@.timer"


def read_command() -> list[str]:
    """Returns the words that the service starts, with the variables of the example put in as systemd does."""
    variables = read_environment(FOLDER / "news.env")
    (command,) = read_unit(SERVICE)["ExecStart"]
    return [re.sub(r"\$\{(\w+)\}", lambda found: variables[found[1]], word) for word in shlex.split(command)]


@needs_systemd
def test_systemd_takes_the_units():
    """No unknown setting, and none that does not go with another."""
    done = subprocess.run(["systemd-analyze", "verify", SERVICE, TIMER], capture_output=True, text=True, check=False)
    # It reads the units of the machine too, and may find fault with those.
    assert [line for line in done.stderr.splitlines() if "firstseen" in line] == []
    assert done.returncode == 0


@needs_systemd
def test_the_timer_begins_every_night():
    """Its calendar expression is one, and comes again after a day."""
    (expression,) = read_unit(TIMER)["OnCalendar"]
    command = ["systemd-analyze", "calendar", "--iterations=2", expression]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env={"TZ": "UTC"}).stdout
    first, second = map(datetime.fromisoformat, re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", told))
    assert second - first == timedelta(days=1)


@needs_systemd
def test_the_service_is_hardened():
    """By systemd's own score."""
    assert exposure_is_low(SERVICE)


def test_firstseen_takes_the_command_line():
    """The archive, the store and the metrics of the example arrive as such."""
    command = read_command()
    verb, options = parse(command[command.index(PROGRAM) :])
    assert verb == "reindex"
    assert (options["archive"], options["store"]) == ("/srv/photos/news", "/var/lib/firstseen/store")
    assert options["metrics_file"] == Path("/var/lib/node_exporter/textfile_collector/firstseen-news.prom")


@pytest.mark.skipif(not shutil.which("flock"), reason="no flock: apt install util-linux")
def test_the_lock_lets_one_in_and_passes_its_exit_code_on(tmp_path: Path):
    """A second one waits, and ends with 75 in the end; the process that systemd stops is firstseen itself."""
    command = read_command()
    patience = command[command.index("--timeout") + 1]
    lock = [
        word.replace("/var/lib/firstseen", str(tmp_path)).replace(patience, "0.5")
        for word in command[: command.index(PROGRAM)]
    ]
    assert int(patience) >= 3_600
    first = subprocess.Popen([*lock, "sh", "-c", "echo $$; read line; exit 6"], stdin=-1, stdout=-1, text=True)
    assert first.stdin and first.stdout  # noqa: PT018 (mypy)
    assert int(first.stdout.readline()) == first.pid
    assert subprocess.run([*lock, "true"], check=False).returncode == 75
    first.communicate("go on\n", timeout=10)
    assert first.returncode == 6
    assert subprocess.run([*lock, "true"], check=False).returncode == 0


def test_only_what_may_get_better_is_tried_again():
    """All exit codes of firstseen but those of a lost race and of a temporary failure are final."""
    unit = read_unit(SERVICE)
    assert unit["Restart"] == ["on-failure"]
    (final,) = unit["RestartPreventExitStatus"]
    assert set(map(int, final.split())) == FINAL
    assert unit["SuccessExitStatus"] == [str(EXIT_CODE)]
    (seconds,) = unit["TimeoutStopSec"]
    assert int(seconds.removesuffix("s")) > 2 * GRACE_SECONDS
