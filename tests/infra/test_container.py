"""The images: their Dockerfile is read here, and not built; its versions are those that the tests run with."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePath

import pytest
from setuptools import find_packages

import firstseen
from serving.http.health import make_router
from serving.http.keys import add_key
from serving.http.options import ServeOptions
from tests.conftest import REPOSITORY, Desk
from tests.infra.command_line import parse
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

# Photos are decoded in processes of their own, which the interpreter starts by its path.
TRIAL = """
import subprocess, sys, firstseen
subprocess.run([sys.executable, "-c", ""], check=True)
open("/var/tmp/written", "w")
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="not root: only root can mount a root that is read-only")


def as_in_the_image(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Starts Python with words as a user without rights, who can write to a folder and nowhere else."""
    command = ["unshare", "--mount", "bash", "-c", READ_ONLY, "read-only", folder, sys.executable, *words]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TMPDIR": str(folder / "tmp")}
    return subprocess.Popen(
        command,
        env={**environment, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def skip_without_a_read_only_root(folder: Path) -> None:
    """Skips the test where such a root cannot be mounted, as inside some containers, or Python is root's alone."""
    trial = as_in_the_image(folder, "-c", TRIAL)
    told = trial.communicate()[1]
    if "Read-only file system" not in told:
        pytest.skip(f"no read-only root to be had here: {told[-200:]}")


def instructions(name: str, stage: str | None = None) -> list[str]:
    """Returns what follows an instruction, each time that it stands in the Dockerfile, or in one stage of it."""
    found, at = [], ""
    for line in LINES:
        at = line.split()[-1] if line.startswith("FROM ") else at
        if line.startswith(f"{name} ") and stage in (None, at):
            found.append(line.partition(" ")[2].strip())
    return found


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
    # Without --target the last stage is built.
    assert instructions("FROM")[-1] == "image AS worker"
    assert instructions("ENTRYPOINT", "worker") == ['["/opt/apache/beam/boot"]']
    assert instructions("USER", "image") == instructions("USER", "worker") == []
    copied = instructions("COPY", "worker")
    assert "--from=beam /opt/apache/beam /opt/apache/beam" in copied
    launcher = "/opt/google/dataflow/python_template_launcher"
    assert f"--from=launcher {launcher} {launcher}" in copied
    (script,) = [one.partition("=")[2] for one in instructions("ENV") if one.startswith("FLEX_TEMPLATE_PYTHON_PY_FILE")]
    assert f"infra/dataflow/flex_template.py {script}" in copied


def test_the_image_that_serves_takes_no_rights():
    """As the user that the image makes, by number; its command is one of firstseen, which asks for keys."""
    (user,) = instructions("USER", "serve")
    assert f"useradd --uid {user.partition(':')[0]} " in " ".join(instructions("RUN", "image"))
    words = [word for name in ("ENTRYPOINT", "CMD") for word in json.loads(instructions(name, "serve")[0])]
    verb, options = parse(words)
    assert (verb, options["store"], options["host"]) == ("serve", "/store", "0.0.0.0")  # noqa: S104 (a container's own)
    assert options["keys"] == Path("/run/secrets/keys.json")


def test_the_image_that_serves_knows_whether_it_is_ready():
    """By Python, on the port and the path of the service; a container has no curl."""
    (check,) = instructions("HEALTHCHECK", "serve")
    program, flag, code = json.loads(check.partition("CMD ")[2])
    assert (program, flag) == ("python", "-c")
    compile(code, "check", "exec")
    (port,) = instructions("EXPOSE", "serve")
    assert int(port) == ServeOptions().port
    assert f"http://127.0.0.1:{port}/readyz'" in code
    assert "/readyz" in [route.path for route in make_router(None).routes]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter: those that pytest makes are for one user alone."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: S103 (that is the point)
        yield Path(folder)


@needs_root
def test_an_encode_writes_to_its_store_and_to_tmpdir_alone(open_folder: Path):
    """As a user without rights, on a root that is read-only: the way to run the image by hand."""
    write_archive(open_folder / "photos")
    for name in ("tmp", "store"):
        (open_folder / name).mkdir()
        (open_folder / name).chmod(0o777)
    skip_without_a_read_only_root(open_folder)
    done = as_in_the_image(
        open_folder, "-m", "firstseen", "encode", str(open_folder / "photos"), "--store", str(open_folder / "store")
    )
    told = "".join(done.communicate())
    assert done.returncode == 0, told
    assert "listed 10 = embedded 10" in told


@needs_root
def test_a_service_answers_and_writes_to_tmpdir_alone(open_folder: Path, live_desk: Desk):
    """As the image that serves is run: no right, a root and a store that are read-only; the health check says ready."""
    shutil.copytree(live_desk.store, open_folder / "store")
    (open_folder / "tmp").mkdir()
    (open_folder / "tmp").chmod(0o777)
    skip_without_a_read_only_root(open_folder)
    secret = add_key(open_folder / "keys.json", "desk", roles=["search"])
    (open_folder / "keys.json").chmod(0o644)
    places = {"/store": str(open_folder / "store"), "/run/secrets/keys.json": str(open_folder / "keys.json")}
    words = [places.get(word, word) for word in json.loads(instructions("CMD", "serve")[0])]
    service = as_in_the_image(open_folder, "-m", "firstseen", *words, "--port", "0")
    try:
        port = next(
            (found[1] for line in service.stderr if (found := re.search(r"answers at http://[\d.]+:(\d+);", line))),
            None,
        )
        address = f"http://127.0.0.1:{port}"
        code = json.loads(instructions("HEALTHCHECK", "serve")[0].partition("CMD ")[2])[2]
        code = code.replace("http://127.0.0.1:8080", address)
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
        photo = sorted(live_desk.archive.rglob("*.jpg"))[0]
        with firstseen.Searcher.open(address, key=secret) as searcher:
            assert [rows[0].verdict for rows in searcher.lookup([photo])] == ["identical"]
    finally:
        service.send_signal(signal.SIGTERM)
        told = service.communicate(timeout=60)[1]
    assert "ended: what was asked is answered" in told
    assert service.returncode == 0
