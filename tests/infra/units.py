"""Reads units of systemd and the files of variables that go with them, and asks systemd what it thinks of one."""

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="no systemd-analyze: apt install systemd"
)


def read_unit(path: Path) -> dict[str, list[str]]:
    """Returns the values of each setting of a unit, with continued lines joined."""
    settings = defaultdict(list)
    for line in re.sub(r"\\\n\s*", "", path.read_text()).splitlines():
        if not line.startswith(("#", "[")) and line:
            name, _, value = line.partition("=")
            settings[name].append(value)
    return settings


def read_environment(path: Path) -> dict[str, str]:
    """Returns the variables of a file, without those that are commented out."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if line[0] != "#")


def exposure_is_low(path: Path) -> bool:
    """Returns whether systemd's own score of what a service is exposed to is at most 2: 0 is nothing, 10 everything."""
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze cannot judge a file: it takes version 250")
    return done.returncode == 0
