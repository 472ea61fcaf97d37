"""A small server that speaks the contract of `firstseen serve`, and misbehaves when a test says how."""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from email.policy import HTTP
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from serving.answers import Answer
from serving.output.json_file import to_json

Asked = tuple[list[tuple[str, bytes]], dict[str, str]]
SNAPSHOT = {"number": 7, "created_at": "2026-01-02T03:04:05Z", "encoder": "photo-v1", "photos": 10, "segments": 1}


def looked(results: list[tuple[str, list[Answer]]]) -> dict[str, Any]:
    """Returns the body of an answer."""
    rows = [{"id": name, "answers": list(map(to_json, answers))} for name, answers in results]
    return {"snapshot": 7, "encoder": "photo-v1", "request_id": "r-1", "results": rows}


def no_matches(asked: Asked) -> dict[str, Any]:
    """Answers each photo that it is not there, with its digest as the reason: a test can tell one from another."""
    photos, _ = asked
    common: dict[str, Any] = {"status": "no_match", "snapshot": 7, "encoder": "photo-v1"}
    return looked([(name, [Answer(query=name, reason=sha256(data).hexdigest(), **common)]) for name, data in photos])


class Stub(ThreadingHTTPServer):
    """What it was asked, and how it misbehaves: `next` holds what the next requests come to instead of an answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self.next: deque[Callable[[Handler], None]] = deque()
        self.answer: Callable[[Asked], dict[str, Any]] = no_matches
        self.snapshot: dict[str, Any] = SNAPSHOT
        self.asked: list[Asked] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.at: list[float] = []
        self.most_photos = 1_000
        self.running = self.most_running = 0
        self.lock = threading.Lock()

    def handle_error(self, *_: object) -> None:
        """Says nothing of clients that went away, as some tests make them."""


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    server: Stub

    def do_GET(self) -> None:
        """Tells of the snapshot."""
        self._note()
        if self.server.next:
            self.server.next.popleft()(self)
            return
        live = self.server.snapshot
        reply({**live, "number": int(self.path.partition("snapshot=")[2] or live["number"])})(self)

    def do_POST(self) -> None:
        """Answers a lookup."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = parsed(self.headers["Content-Type"], body)
        self._note(asked)
        if self.server.next:
            self.server.next.popleft()(self)
        elif len(asked[0]) > self.server.most_photos:
            problem(413, "the request brings too many")(self)
        else:
            with self.server.lock:
                self.server.running += 1
                self.server.most_running = max(self.server.most_running, self.server.running)
            answer = self.server.answer(asked)
            with self.server.lock:
                self.server.running -= 1
            reply(answer)(self)

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def _note(self, asked: Asked | None = None) -> None:
        with self.server.lock:
            self.server.at.append(time.monotonic())
            self.server.paths.append(self.path)
            self.server.headers.append(dict(self.headers))
            if asked:
                self.server.asked.append(asked)


def parsed(content_type: str, body: bytes) -> Asked:
    """Returns the photos and the fields of a form."""
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    photos, fields = [], {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        data = part.get_payload(decode=True)
        if name == "image":
            photos.append((part.get_filename(), data))
        else:
            fields[name] = data.decode()
    return photos, fields


def raw(status: int, body: bytes, content_type: str, **headers: str) -> Callable[[Handler], None]:
    """Returns what sends exactly this."""

    def send(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Type": content_type, "Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


def reply(body: dict[str, Any]) -> Callable[[Handler], None]:
    """Returns what answers with JSON."""
    return raw(200, json.dumps(body).encode(), "application/json")


def problem(status: int, detail: str, **headers: str) -> Callable[[Handler], None]:
    """Returns what refuses with a problem."""
    body = json.dumps({"type": "about:blank", "title": "No", "status": status, "detail": detail, "reason": "no"})
    return raw(status, body.encode(), "application/problem+json", X_Request_ID="r-1", **headers)


def cut(handler: Handler) -> None:
    """Promises more than it sends, and hangs up."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b'{"snapshot": 7')
    handler.close_connection = True


def hang_up(handler: Handler) -> None:
    """Closes the connection without a word."""
    handler.close_connection = True


def drip(handler: Handler) -> None:
    """Sends a letter every twentieth of a second, for as long as somebody reads."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(1_000):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


@contextmanager
def running() -> Iterator[Stub]:
    """Runs a server for as long as the block."""
    with Stub() as stub:
        thread = threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield stub
        finally:
            stub.shutdown()
            thread.join()
