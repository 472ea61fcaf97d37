"""A service in a process of its own, as an operator starts it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.interruptible import interruptible

START_SECONDS = 60


@dataclass
class Running:
    """A service that answers, and the file that its log is in, as JSON Lines."""

    process: subprocess.Popen
    port: int
    log: Path

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def lines(self) -> list[dict]:
        """Returns the lines of the log."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def end(self, number: int = signal.SIGTERM, *, seconds: float = 30) -> int:
        """Sends a signal, and returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def resident_bytes(self) -> int:
        """Returns the memory that it takes now, without its decoder processes."""
        fields = Path(f"/proc/{self.process.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def running(store: Path, log: Path, *flags: str, waits: bool = True, **environment: str) -> Iterator[Running]:
    """Starts `firstseen serve` at a free port, yields it once it is ready, and ends it."""
    command = [sys.executable, "-m", "firstseen", "--log-format", "json", "serve", "--store", str(store), "--port", "0"]
    with log.open("w") as file:
        process = subprocess.Popen(
            [*command, *flags],
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)} | environment,
            stderr=file,
            stdout=file,
            preexec_fn=interruptible,
        )
    try:
        yield Running(process, _port(process, log) if waits else 0, log)
    finally:
        process.kill()
        process.wait()


def _port(process: subprocess.Popen, log: Path) -> int:
    """Returns the port of a service once it is ready."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        for line in log.read_text().splitlines():
            if address := json.loads(line).get("address"):
                return int(address.rpartition(":")[2])
        time.sleep(0.05)
    raise AssertionError(f"the service did not start: {log.read_text()}")


def status_of(address: str) -> int:
    """Returns the status of a GET."""
    try:
        with urllib.request.urlopen(address, timeout=5) as response:  # noqa: S310 (our own address)
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
