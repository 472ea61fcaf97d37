"""The systemd unit of the service: taken by systemd, its variables by firstseen, and its times longer than a drain."""

import re
import subprocess
from pathlib import Path

import pytest

from firstseen.commands.interruption import EXIT_CODE
from foundation.errors import ArtifactRefusedError, UsageError
from serving.http.options import ServeOptions
from serving.http.settings import PREFIX, read_settings
from tests.infra.command_line import PROGRAM, parse
from tests.infra.serve_files import FOLDER
from tests.infra.units import exposure_is_low, needs_systemd, read_environment, read_unit

SERVICE = FOLDER / "systemd" / "firstseen-serve.service"
VARIABLES = FOLDER / "systemd" / "serve.env"
UNIT = read_unit(SERVICE)


@needs_systemd
def test_systemd_takes_the_unit(tmp_path: Path):
    """No unknown setting, and none that does not go with another; the program need not be installed for that."""
    copy = tmp_path / SERVICE.name
    copy.write_text(SERVICE.read_text().replace(PROGRAM, "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    # It reads the units of the machine too, and may find fault with those.
    assert [line for line in done.stderr.splitlines() if "firstseen" in line] == []
    assert done.returncode == 0


@needs_systemd
def test_the_service_is_hardened():
    """By systemd's own score."""
    assert exposure_is_low(SERVICE)


def test_firstseen_takes_the_command_and_the_variables(monkeypatch: pytest.MonkeyPatch):
    """Everything comes from the file: the command is one for every machine."""
    (command,) = UNIT["ExecStart"]
    assert parse(command)[0] == "serve"
    for name, value in read_environment(VARIABLES).items():
        assert name.startswith(PREFIX)
        monkeypatch.setenv(name, value)
    found = read_settings()
    assert found.pop("store") == "/var/lib/firstseen/store"
    options = ServeOptions(**found | {"keys": Path(found["keys"])})
    assert (options.host, options.port) == ("127.0.0.1", ServeOptions().port)


def test_it_is_killed_only_after_its_drain():
    """systemd tells the service alone, whose decoders are still needed, and waits longer than it takes to end."""
    assert UNIT["KillMode"] == ["mixed"]
    (text,) = UNIT["TimeoutStopSec"]
    options = ServeOptions()
    assert int(text.removesuffix("s")) >= options.drain_notice_seconds + options.drain_seconds + 10


def test_only_what_may_get_better_is_tried_again():
    """A wrong option and a damaged store are there after the next start, too."""
    assert UNIT["Restart"] == ["on-failure"]
    (final,) = UNIT["RestartPreventExitStatus"]
    assert {*map(int, final.split())} == {UsageError.exit_code, ArtifactRefusedError.exit_code}
    assert UNIT["SuccessExitStatus"] == [str(EXIT_CODE)]


def test_nothing_is_written_but_what_is_made_for_it():
    """The rest of the system is read-only, and no capability is left."""
    assert UNIT["ProtectSystem"] == ["strict"]
    assert UNIT["NoNewPrivileges"] == ["yes"]
    assert UNIT["CapabilityBoundingSet"] == [""]
    assert {"ReadWritePaths", "StateDirectory", "AmbientCapabilities"}.isdisjoint(UNIT)
    folders = [line for line in UNIT["Environment"] if re.match("XDG_CACHE_HOME|TMPDIR", line)]
    assert folders == [f"XDG_CACHE_HOME=/var/cache/{UNIT['CacheDirectory'][0]}", "TMPDIR=/var/tmp"]
    assert UNIT["PrivateTmp"] == ["yes"]
