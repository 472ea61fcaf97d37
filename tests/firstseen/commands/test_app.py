"""Tests the program as a whole: help, what it imports, and every verb one after the other."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from firstseen.commands import app
from firstseen.commands.running import run
from tests.conftest import REPOSITORY, Desk
from tests.firstseen.desk import one_error_line
from tests.photos import write_archive

VERBS = (
    "train",
    "encode",
    "index",
    "lookup",
    "serve",
    "keys",
    "status",
    "verify",
    "rollback",
    "retract",
    "ignore",
    "watch",
    "demo",
    "study",
)
HEAVY = {"tensorflow", "keras", "apache_beam", "pyarrow", "scann", "cv2", "numpy", "asyncio", "urllib3"}


def modules_after(*arguments: str) -> set[str]:
    """Returns the top-level modules that a command has imported, in a process of its own."""
    script = (
        "import sys\nfrom firstseen.commands.running import run\n"
        "code = run(sys.argv[1:])\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)\n"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments", [["--help"], *([verb, "--help"] for verb in VERBS), ["evaluate", "copies", "--help"]]
)
def test_help_loads_nothing_heavy(arguments: list[str]):
    """Help answers at once because none of the large libraries is imported for it."""
    assert not modules_after(*arguments) & HEAVY


def test_status_loads_nothing_heavy(live_desk: Desk):
    """Status reads descriptions only."""
    heavy = {"tensorflow", "keras", "apache_beam", "pyarrow", "scann", "cv2"}
    assert not modules_after("status", "--store", str(live_desk.store)) & heavy


def test_a_cpu_encodes_indexes_and_looks_up_without_tensorflow(
    store: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
):
    """Importing it would cost seconds and half a gigabyte; a GPU, which needs it, is hidden here."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    for arguments in (["encode", str(archive)], ["index"], ["lookup", str(archive)]):
        assert not modules_after(*arguments, "--store", str(store)) & {"tensorflow", "keras"}


def test_a_lookup_loads_no_pandas_and_nothing_for_networks(live_desk: Desk):
    """pyarrow imports pandas for dates where it is installed: that would take half as long again as all else."""
    loaded = modules_after("lookup", str(live_desk.archive), "--store", str(live_desk.store))
    assert not loaded & {"pandas", "asyncio", "urllib3"}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture):
    """Each verb says what it does, and exits with 0."""
    assert run([verb, "--help"]) == 0
    assert f"firstseen {verb}" in capsys.readouterr().out


def test_the_whole_way_by_commands(store: Path, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    """encode, index, lookup, verify, a second run, rollback: each ends with 0 and names what comes next."""
    assert run(["encode", str(archive), "--store", str(store)]) == 0
    assert f"next: firstseen index --store {store}" in capsys.readouterr().err
    assert run(["index", "--store", str(store)]) == 0
    assert "snapshot 1 is live: 10 photos" in capsys.readouterr().err
    assert run(["lookup", str(archive), "--store", str(store), "--format", "jsonl"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    firsts = [row for row in rows if row["rank"] == 1]
    assert [row["verdict"] for row in firsts] == ["identical"] * 10
    assert all(row["query"].endswith(row["photo_id"]) for row in firsts)
    write_archive(tmp_path / "more", photos=3, first_seed=50)
    assert run(["encode", str(tmp_path / "more"), "--store", str(store)]) == 0
    assert run(["index", "--store", str(store)]) == 0
    capsys.readouterr()
    assert run(["rollback", "--store", str(store)]) == 0
    assert "snapshot 3 is live: rollback to 1, 10 photos" in capsys.readouterr().out
    assert run(["verify", "--store", str(store)]) == 0
    assert "snapshot 3 is whole" in capsys.readouterr().out


@pytest.mark.parametrize("verb", app.VERBS, ids=lambda verb: verb.__name__)
def test_the_program_sums_up_every_verb(verb: Callable[..., None], capsys: pytest.CaptureFixture):
    """The whole first sentence of its help, over as many lines as it takes: nothing is cut off."""
    assert run(["--help"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert f"{verb.__name__} {app.summary(verb)}" in words
    assert "..." not in words.removeprefix("Usage: firstseen [OPTIONS] COMMAND [ARGS]...")


def test_the_version_goes_to_stdout(capsys: pytest.CaptureFixture):
    """The one that is installed, and nothing else."""
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"firstseen {metadata.version('firstseen')}\n"


def test_the_version_of_what_is_not_installed(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    """A checkout without an installation says so in one line."""

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert run(["--version"]) == 2
    assert "not installed" in one_error_line(capsys)
