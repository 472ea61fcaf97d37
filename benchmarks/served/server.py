"""Starts `firstseen serve` as a process of its own, and looks at its memory."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

READY_SECONDS = 300


class Server:
    """A running server: its port, and what the kernel says of its process and those that decode for it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int):
        self.process = process
        self.port = port

    def get(self, path: str) -> tuple[int, bytes]:
        """Returns status and body of a GET."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def json(self, path: str) -> dict[str, Any]:
        """Returns the JSON object at a path."""
        return json.loads(self.get(path)[1])

    @property
    def resident_mb(self) -> float:
        """Memory of the server itself that is not shared with files, in MB."""
        return _kilobytes(self.process.pid, "RssAnon") / 1e3

    @property
    def peak_mb(self) -> float:
        """The most memory that the server itself had, mapped files included, in MB."""
        return _kilobytes(self.process.pid, "VmHWM") / 1e3


@contextmanager
def running(store: Path, log: Path, *flags: str) -> Iterator[Server]:
    """Yields a server of a store that is ready, and ends it as an operator would."""
    port = free_port()
    command = [sys.executable, "-m", "firstseen", "serve", "--store", str(store), "--port", str(port), *flags]
    with log.open("ab") as told:
        process = subprocess.Popen(command, stdout=told, stderr=told)  # noqa: S603 (this very program)
    server = Server(process, port)
    try:
        _wait(server, log)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise SystemExit(f"the server did not end within 60 s of SIGTERM; see {log}") from None


def free_port() -> int:
    """Returns a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _wait(server: Server, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            if server.get("/readyz")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"the server was not ready within {READY_SECONDS} s; see {log}")


def _kilobytes(pid: int, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0
