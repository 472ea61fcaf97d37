"""Opens connections as those do that are broken or mean harm: silent, slow, or gone before their answer."""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

HEAD = b"POST /v1/lookup HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n"
# Seconds between two bytes of a connection that drips.
DRIP_SECONDS = 1.0


@dataclass
class Held:
    """How long connections of one kind were held, in seconds; None for those that were not closed in time."""

    kind: str
    seconds: list[float | None] = field(default_factory=list)

    @property
    def longest(self) -> float:
        """The longest that one was held; infinite if one was not closed."""
        return max(float("inf") if one is None else one for one in self.seconds)


def _idle(connection: socket.socket) -> None:
    del connection


def _drip_header(connection: socket.socket) -> None:
    connection.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
    while True:
        connection.sendall(b"a")
        time.sleep(DRIP_SECONDS)


def _drip_body(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(DRIP_SECONDS)


def _half_close(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"\r\n{")
    connection.shutdown(socket.SHUT_WR)


KINDS: dict[str, Callable[[socket.socket], None]] = {
    "idle": _idle,
    "header drip": _drip_header,
    "body drip": _drip_body,
    "half-closed": _half_close,
}


def open_bad(port: int, each: int, *, seconds: float) -> tuple[list[Held], list[threading.Thread]]:
    """Opens so many connections of each kind; returns what becomes of them and the threads that wait for it."""
    held = [Held(kind) for kind in KINDS]
    threads = [threading.Thread(target=_hold, args=(port, one, seconds)) for one in held for _ in range(each)]
    for thread in threads:
        thread.start()
    return held, threads


def _hold(port: int, held: Held, seconds: float) -> None:
    """Opens one connection, behaves as its kind does, and waits until the server has closed it."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.settimeout(seconds)
        threading.Thread(target=_behave, args=(KINDS[held.kind], connection), daemon=True).start()
        held.seconds.append(_closed_after(connection, started, seconds))


def _behave(kind: Callable[[socket.socket], None], connection: socket.socket) -> None:
    try:
        kind(connection)
    except OSError:  # the server has closed it
        return


def _closed_after(connection: socket.socket, started: float, seconds: float) -> float | None:
    try:
        # What comes before the end is an answer that says why.
        while connection.recv(4096):
            if time.monotonic() - started > seconds:
                return None
    except TimeoutError:
        return None
    except OSError:
        pass
    return time.monotonic() - started
