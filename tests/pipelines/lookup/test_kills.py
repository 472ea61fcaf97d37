"""A lookup that is killed goes on, and two at once do no harm: real processes, and kills that nobody can catch."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from foundation.store.files import Store
from tests.conftest import REPOSITORY
from tests.faults.killed import KILL_AT, PASSED
from tests.nights import make_nights

PATIENCE_SECONDS = 300


class Scene:
    """A store and photos to look up, of which some are the same and some need a closer look."""

    def __init__(self, folder: Path, store: Store):
        self.folder, self.store = folder, store
        self.photos = []
        for place in range(9):
            path = folder / f"{place}.jpg"
            path.write_bytes(b"close 1" if place % 4 == 1 else b"%d" % (place % 6))
            self.photos.append(str(path))

    def start(self, output: Path, **environment: str) -> subprocess.Popen:
        """Starts a lookup."""
        command = [sys.executable, "-m", "tests.pipelines.lookup.killed", self.store.uri, str(output), *self.photos]
        return subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ, **environment}, stderr=subprocess.PIPE)

    def run(self, output: Path, **environment: str) -> int:
        """Runs a lookup to its end, or to where it is killed; returns how it ended."""
        process = self.start(output, **environment)
        process.communicate(timeout=PATIENCE_SECONDS)
        return process.returncode


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Two nights, indexed."""
    nights = make_nights(tmp_path, monkeypatch)
    for number in range(2):
        nights.put(f"{number}.jpg", number)
        nights.night()
    return Scene(tmp_path, nights.store)


def test_a_lookup_that_is_killed_anywhere_goes_on(scene: Scene, tmp_path: Path) -> None:
    """At places all over it: no output before its end, then that of an undisturbed one, and nothing is left."""
    whole, places = tmp_path / "whole.json", tmp_path / "places"
    assert scene.run(whole, **{PASSED: str(places)}) == 0
    passed = places.read_text().splitlines()
    for share in (0.45, 0.97):
        output = tmp_path / f"{share}.json"
        assert scene.run(output, **{KILL_AT: passed[int(share * len(passed))]}) == -signal.SIGKILL
        assert not output.exists() or output.read_bytes() == whole.read_bytes()
        assert scene.run(output) == 0
        assert output.read_bytes() == whole.read_bytes()
        assert scene.store.directories("lookups") == []


def test_two_at_once_do_no_harm(scene: Scene, tmp_path: Path) -> None:
    """One of them goes on; the other says that it may be run again, or was late enough to do it all."""
    both = [scene.start(tmp_path / f"{number}.json") for number in range(2)]
    for process in both:
        process.communicate(timeout=PATIENCE_SECONDS)
    codes = sorted(process.returncode for process in both)
    assert codes in ([0, 75], [0, 0])
    assert scene.run(tmp_path / "again.json") == 0
    written = [path.read_bytes() for path in (tmp_path / f"{name}.json" for name in (0, 1, "again")) if path.exists()]
    assert len(set(written)) == 1
    assert scene.store.directories("lookups") == []
