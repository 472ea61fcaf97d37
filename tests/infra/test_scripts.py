"""Shell scripts and Dockerfiles of the whole repository: taken by their linters without a word."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

SKIPPED = {"build", "dist", "shared"}


def tool(name: str) -> str:
    """Returns where a linter is: the extra `dev` installs it beside this Python."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin")
    if not found:
        pytest.skip(f"no {name}: pip install '.[dev]'")
    return found


def sources() -> list[Path]:
    """Returns the files of the repository, without what is hidden or built; those of .ci count."""
    found = []
    for folder, folders, names in os.walk(REPOSITORY):
        # Environments and caches have many thousand files, none of which is walked through.
        folders[:] = [name for name in folders if name == ".ci" or not (name.startswith(".") or name in SKIPPED)]
        found += [Path(folder, name) for name in names if not name.startswith(".")]
    return found


def is_shell(path: Path) -> bool:
    """Whether a file is a shell script: by its name, or by its first line."""
    with path.open("rb") as file:
        return path.suffix == ".sh" or bool(re.match(rb"#!.*\b(ba|da)?sh\b", file.readline(100)))


def test_shellcheck_takes_every_script():
    """Of any folder; a script that nobody checked would be found by its first user."""
    scripts = [path for path in sources() if is_shell(path)]
    assert {"launch.sh", "run"} <= {path.name for path in scripts}
    done = subprocess.run([tool("shellcheck"), *scripts], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""


def test_hadolint_takes_every_dockerfile():
    """No warning, and none that is switched off."""
    files = [path for path in sources() if path.name.startswith("Dockerfile")]
    assert files
    done = subprocess.run([tool("hadolint"), *files], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
    assert not [path for path in files if "hadolint ignore" in path.read_text()]
