"""Stands between a client and an HTTP server, and spoils a share of the answers as a busy object store does."""

import http.client
import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from foundation import objects
from foundation.archives import buckets

KINDS = ("503", "429", "reset", "cut")
# A request that is done and whose answer never comes: whoever asks again finds it done.
LOST = "lost"
# Pauses for tests: the product's own last minutes.
FAST = {
    "max_retries": 6,
    "retry_timeout": timedelta(seconds=20),
    "backoff": {"init_backoff": timedelta(milliseconds=1)},
}


@dataclass
class Faults:
    """Which share of the requests is spoilt, and how: told too busy, reset, cut in mid-answer, done without an answer.

    A request is reset before anything is done.
    """

    share: float
    kinds: tuple[str, ...] = KINDS
    methods: tuple[str, ...] = ("GET", "HEAD", "PUT", "POST", "DELETE")
    made: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 -- a repeatable test

    def draw(self, method: str) -> str | None:
        """Returns the fault of the next request, if it has one."""
        self.requests += 1
        if method not in self.methods or self.chance.random() >= self.share:
            return None
        # In turn, so that some twenty faults are some of each.
        kind = self.kinds[self.made.total() % len(self.kinds)]
        self.made[kind] += 1
        return kind


@contextmanager
def faulty_s3(patch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """Yields the faults of all requests to the S3 server of a test from now on: none, until the test says so."""
    faults = Faults(share=0.0)
    patch.setattr(objects, "RETRIES", FAST)
    patch.setattr(objects, "RESET_PAUSE_SECONDS", 0.001)
    with faulty(os.environ["AWS_ENDPOINT_URL"], faults) as address:
        patch.setenv("AWS_ENDPOINT_URL", address)
        buckets._opened_by.cache_clear()
        yield faults
        buckets._opened_by.cache_clear()


@contextmanager
def faulty(upstream: str, faults: Faults) -> Iterator[str]:
    """Yields the address of a server that answers as the one at `upstream` does, but for the faults."""
    host = urlsplit(upstream).netloc

    class Handler(_Handler):
        address, plan = host, faults

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    address: str
    plan: Faults

    def log_message(self, *_args: object) -> None:
        pass

    def _pass_on(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.plan.draw(self.command)
        if fault == "reset":
            self.close_connection = True
        elif fault in ("503", "429"):
            self._answer(int(fault), [("Content-Length", "0")], b"")
        else:
            upstream = http.client.HTTPConnection(self.address, timeout=30)
            upstream.request(self.command, self.path, data, dict(self.headers))
            answer = upstream.getresponse()
            body = answer.read()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _OWN]
            length = answer.headers["Content-Length"] if self.command == "HEAD" else str(len(body))
            upstream.close()
            if fault == LOST:
                self.close_connection = True
                return
            self._answer(answer.status, [*kept, ("Content-Length", length)], body[: len(body) // 2] if fault else body)
            self.close_connection = fault == "cut"

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for header in headers:
            self.send_header(*header)
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on  # noqa: N815 -- the server calls them by these names


# What belongs to one connection, and is not passed on.
_OWN = ("connection", "content-length", "transfer-encoding")
