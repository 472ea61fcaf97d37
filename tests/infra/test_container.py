"""The image: its Dockerfile is read here, and not built; its versions are those that the tests run with."""

import re
from pathlib import PurePath

from setuptools import find_packages

from tests.conftest import REPOSITORY

LINES = (REPOSITORY / "infra" / "container" / "Dockerfile").read_text().replace("\\\n", "").splitlines()
CONSTRAINTS = dict(
    line.split("==") for line in (REPOSITORY / "infra" / "constraints.txt").read_text().splitlines() if "==" in line
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
