"""Tests the verb that goes the whole way once: which commands it runs, and what it does when one of them fails."""

from pathlib import Path

import pytest

from firstseen.commands import running
from tests.photos import write_archive


def run_demo(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *options: str, codes: dict[str, int]
) -> tuple[int, list[list[str]]]:
    """Returns the exit code of a demo and the commands it ran; they do nothing but end with the code of their verb."""
    write_archive(folder / "archive", photos=9)
    run, commands = running.run, []

    def pretend(arguments: list[str]) -> int:
        commands.append(arguments)
        return codes.get(arguments[0], 0)

    monkeypatch.setattr(running, "run", pretend)
    arguments = ["demo", "--archive", str(folder / "archive"), "--directory", str(folder / "demo"), *options]
    return run(arguments), commands


def test_the_demo_shows_every_command_that_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    """As a user would type it, from an archive to a page; rejects in the archive are no reason to stop."""
    code, commands = run_demo(monkeypatch, tmp_path, codes={"encode": 3})
    assert code == 0
    assert [command[0] for command in commands] == ["encode", "index", "lookup", "lookup"]
    told = capsys.readouterr().err
    assert [line for line in told.splitlines() if line.startswith("$ ")] == [
        f"$ firstseen {' '.join(command)}" for command in commands
    ]
    assert f"open {tmp_path / 'demo' / 'answers.html'} in a browser" in told


def test_the_demo_ends_with_the_command_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its exit code is that of the demo, and nothing runs after it."""
    code, commands = run_demo(monkeypatch, tmp_path, codes={"index": 75})
    assert code == 75
    assert [command[0] for command in commands] == ["encode", "index"]


def test_the_demo_runs_its_jobs_on_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """By the options that a user would give: all but the lookup that writes evidence, which no job does."""
    _, commands = run_demo(monkeypatch, tmp_path, "--flink-master", "host:1", codes={})
    on_flink = [command[0] for command in commands if command[-4:] == ["--runner", "flink", "--flink-master", "host:1"]]
    assert on_flink == ["encode", "index", "lookup"]
    assert "--evidence" in commands[-1]
