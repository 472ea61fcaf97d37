"""The image: its Dockerfile is read here, and not built; its versions are those that the tests run with."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePath

import pytest
from setuptools import find_packages

from tests.conftest import REPOSITORY
from tests.photos import write_archive

LINES = (REPOSITORY / "infra" / "container" / "Dockerfile").read_text().replace("\\\n", "").splitlines()
CONSTRAINTS = dict(
    line.split("==") for line in (REPOSITORY / "infra" / "constraints.txt").read_text().splitlines() if "==" in line
)

# A root that nobody can write to, one folder excepted, and a user without any right, as `docker run` gives them.
READ_ONLY = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -o remount,bind,ro /
exec setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs -- "${@:2}"
"""


def as_in_the_image(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs Python with words as a user without rights, who can write to a folder and nowhere else."""
    command = ["unshare", "--mount", "bash", "-c", READ_ONLY, "read-only", folder, sys.executable, *words]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TMPDIR": str(folder / "tmp")}
    return subprocess.run(
        command, env={**environment, "PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True, check=False
    )


def instructions(name: str) -> list[str]:
    """Returns what follows an instruction, each time that it stands in the Dockerfile."""
    return [line.partition(" ")[2].strip() for line in LINES if line.startswith(f"{name} ")]


def test_beam_of_the_image_is_beam_of_the_constraints():
    """The graph names the version that made it, and a worker of another one may not understand it."""
    arguments = dict(one.split("=", 1) for one in instructions("ARG"))
    python, beam = re.fullmatch(r"apache/beam_python([\d.]+)_sdk:([\d.]+)", arguments["BEAM"]).groups()
    assert beam == CONSTRAINTS["apache-beam"]
    assert re.match(rf"python:{re.escape(python)}\b", arguments["BASE"])
    assert f"python{python.replace('.', '')}-" in arguments["LAUNCHER"]
    assert all(":" in arguments[name] for name in ("BASE", "BEAM", "LAUNCHER"))


def test_the_context_holds_what_is_copied():
    """Every file that the image is made of is let through, and the packages with it."""
    kept = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {
        name
        for name in find_packages(REPOSITORY, exclude=["tests*", "infra*", "docs*", "benchmarks*"])
        if "." not in name
    } <= kept
    for copied in instructions("COPY"):
        for source in copied.split()[:-1]:
            if not source.startswith("--from") and "--from" not in copied and source != ".":
                assert (REPOSITORY / source).exists(), source
                assert PurePath(source).parts[0] in kept, source


def test_the_image_is_a_worker_and_a_launcher():
    """Dataflow starts workers by the entry point, and launchers by the path of their program."""
    assert instructions("ENTRYPOINT") == ['["/opt/apache/beam/boot"]']
    copied = instructions("COPY")
    assert "--from=beam /opt/apache/beam /opt/apache/beam" in copied
    launcher = "/opt/google/dataflow/python_template_launcher"
    assert f"--from=launcher {launcher} {launcher}" in copied
    (script,) = [one.partition("=")[2] for one in instructions("ENV") if one.startswith("FLEX_TEMPLATE_PYTHON_PY_FILE")]
    assert f"infra/dataflow/flex_template.py {script}" in copied


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter: those that pytest makes are for one user alone."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: S103 (that is the point)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: only root can mount a root that is read-only")
def test_an_encode_writes_to_its_store_and_to_tmpdir_alone(open_folder: Path):
    """As a user without rights, on a root that is read-only: the way to run the image by hand."""
    write_archive(open_folder / "photos")
    for name in ("tmp", "store"):
        (open_folder / name).mkdir()
        (open_folder / name).chmod(0o777)
    tried = as_in_the_image(open_folder, "-c", "import firstseen; open('/var/tmp/written', 'w')")
    if "Read-only file system" not in tried.stderr:
        pytest.skip(f"no read-only root to be had here: {tried.stderr[-200:]}")
    done = as_in_the_image(
        open_folder, "-m", "firstseen", "encode", str(open_folder / "photos"), "--store", str(open_folder / "store")
    )
    assert done.returncode == 0, done.stderr
    assert "listed 10 = embedded 10" in done.stderr + done.stdout
