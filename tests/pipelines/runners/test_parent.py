"""Worker processes: whatever becomes of the launcher, none outlives it."""

import os
import signal
import subprocess
import sys
import time

import pytest

from pipelines.runners import parent
from tests.conftest import REPOSITORY
from tests.processes import ends, is_running

# A launcher that starts a child, which waits as a worker does, and tells the child's number.
LAUNCHER = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {child!r}])
print(child.pid, flush=True)
time.sleep(60)
"""
CHILD = """
import time
from pipelines.runners.parent import end_with_parent
end_with_parent()
time.sleep(60)
"""


def test_a_worker_ends_with_its_launcher() -> None:
    """Also when the launcher is killed and can tell nobody."""
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER.format(child=CHILD)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert launcher.stdout
    child = int(launcher.stdout.readline())
    time.sleep(2)
    assert is_running(child)
    launcher.send_signal(signal.SIGKILL)
    launcher.wait()
    launcher.stdout.close()
    ended = ends(child)
    if not ended:
        os.kill(child, signal.SIGKILL)
    assert ended


def test_a_worker_stays_while_its_launcher_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks again and again, and leaves only when its parent is another process."""
    parents = iter([7, 7, 7, 1])
    left: list[int] = []
    tidied: list[int] = []
    monkeypatch.setattr(parent, "LOOK_EVERY_SECONDS", 0)
    monkeypatch.setattr(parent.os, "getppid", lambda: next(parents))
    monkeypatch.setattr(parent.os, "_exit", left.append)
    parent.end_with(7, tidy_up=lambda: tidied.append(7))
    assert (left, tidied) == ([1], [7])
    assert list(parents) == []
