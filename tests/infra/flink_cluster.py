"""Brings up a Flink cluster of two task managers for tests, beside whatever else runs on the machine."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

SCRIPTS = REPOSITORY / "infra" / "flink"
# Kept from one run of the tests to the next: 0.4 GB that take minutes to fetch and to build.
WORK = REPOSITORY / ".flink"
UNAVAILABLE = 69


def free_ports(number: int) -> list[int]:
    """Returns ports that nobody listens on now."""
    with ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@dataclass(frozen=True)
class FlinkCluster:
    """A cluster, by the environment that the scripts find it by."""

    environment: dict[str, str] = field(repr=False)

    @property
    def master(self) -> str:
        """Where its REST API answers."""
        return f"127.0.0.1:{self.environment['FLINK_REST_PORT']}"

    def script(self, *arguments: str) -> subprocess.CompletedProcess:
        """Runs cluster.sh; the output is returned with its exit code."""
        # A cluster that is up keeps no pipe of ours: what it says goes into its own logs.
        return subprocess.run(
            ["nice", SCRIPTS / "cluster.sh", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )

    def pid(self, name: str) -> int:
        """Returns the number of a process of the cluster, by its name."""
        return int(self.script("pid", name).stdout)


def set_up() -> None:
    """Fetches and builds what is not there yet; skips the test if it cannot be had."""
    done = subprocess.run(
        [SCRIPTS / "setup.sh"],
        env=os.environ | {"FLINK_WORK": str(WORK), "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    if done.returncode == UNAVAILABLE:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr


def new_cluster(folder: Path, *, task_managers: int = 2) -> FlinkCluster:
    """Returns a cluster that is not up yet, with its files below a folder and ports of its own."""
    rest, rpc = free_ports(2)
    settings = {
        "FLINK_REST_PORT": str(rest),
        "FLINK_RPC_PORT": str(rpc),
        "FLINK_TASK_MANAGERS": str(task_managers),
        "PYTHON": sys.executable,
    }
    folders = {"FLINK_WORK": str(WORK), "FLINK_RUN": str(folder), "PYTHONPATH": str(REPOSITORY)}
    return FlinkCluster(os.environ | settings | folders)


@contextmanager
def brought_up(folder: Path) -> Iterator[FlinkCluster]:
    """Yields a cluster that is up; it is down when the block ends."""
    set_up()
    cluster = new_cluster(folder)
    try:
        done = cluster.script("up")
        assert done.returncode == 0, done.stderr
        yield cluster
    finally:
        cluster.script("down")
