"""Two commands on one store at the same moment, in two processes: one may lose, and then says so; nothing is lost."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from foundation.errors import PublishRaceLostError, TemporaryError
from foundation.store.snapshots import read_snapshot
from tests.conftest import REPOSITORY
from tests.nights import Found, Nights, make_nights

ROUNDS = 5
LOST = (PublishRaceLostError.exit_code, TemporaryError.exit_code)


@dataclass
class Pair:
    """Two processes that wait for commands."""

    processes: list[subprocess.Popen[str]]

    def run(self, *commands: list[str], pause_seconds: float) -> list[tuple[int, str]]:
        """Runs two commands at once, the second one a moment later; returns their exit codes and what they said."""
        for process, command in zip(self.processes, commands, strict=True):
            assert process.stdin
            process.stdin.write(json.dumps(command) + "\n")
            process.stdin.flush()
            time.sleep(pause_seconds)
        return [tuple(json.loads(process.stdout.readline())) for process in self.processes if process.stdout]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two processes, each ready."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.faults.at_once", tmp_path_factory.mktemp("process")],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    yield Pair(processes)
    for process in processes:
        assert process.stdin
        process.stdin.close()
        assert process.wait(30) == 0
        process.stdout.close()


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """A store with two archives, indexed: photos 0 to 5 in one and 6 to 9 in the other."""
    made = make_nights(tmp_path, monkeypatch)
    for number in range(10):
        made.put(f"{number}.jpg", number, archive=_archive(number))
    for archive in ("archive", "other"):
        made.night(archive)
    return made


def _archive(number: int) -> str:
    return "archive" if number < 6 else "other"


def command(nights: Nights, verb: str) -> list[str]:
    """Returns the arguments of `VERB`, or of `VERB ARCHIVE`."""
    name, _, archive = verb.partition(" ")
    options = {"compact": ["--all"], "gc": ["--keep", "1"]}.get(name, [])
    where = [str(nights.path(".", archive)), "--features", "none"] if archive else []
    return [name, *where, *options, "--store", nights.store.uri]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("reindex archive", "reindex archive"),
        ("reindex archive", "reindex other"),
        ("encode archive", "encode archive"),
        ("index", "index"),
        ("reindex archive", "compact"),
        ("reindex archive", "gc"),
    ],
)
def test_two_at_once(nights: Nights, pair: Pair, first: str, second: str) -> None:
    """Whoever loses exits with 6 or 75; one more night, and every photo is there, found once and counted once."""
    files = {f"{number}.jpg": (_archive(number), number) for number in range(10)}
    chance, ended = random.Random(first + second), Counter[int]()  # noqa: S311 (no secret)
    for night in range(ROUNDS):
        came = {f"new-{night}.jpg": ("archive", 20 + night), f"other-{night}.jpg": ("other", 30 + night)}
        came["changed.jpg"] = ("archive", 40 + night)
        for name, (archive, number) in came.items():
            nights.put(name, number, archive=archive)
        nights.path(f"{night}.jpg").unlink()
        del files[f"{night}.jpg"]
        files |= came
        if first == "index":
            nights.encode()
            nights.encode("other")
        commands = [command(nights, verb) for verb in (first, second)]
        for code, said in pair.run(*commands, pause_seconds=chance.choice([0, 0, 0.02, 0.1])):
            ended[code] += 1
            assert code == 0 or (code in LOST and "run again" in said), said
        for archive in ("archive", "other"):
            nights.night(archive)
        assert nights.found() == {Found(archive, name, number) for name, (archive, number) in files.items()}
        live = read_snapshot(nights.store)
        assert (live.photos, live.contents) == (len(files), len(files))
        assert not nights.encode().is_new
        assert not nights.encode("other").is_new
    assert ended[0] >= ROUNDS, ended
