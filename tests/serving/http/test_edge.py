"""The outermost layer: ids, errors that nobody foresaw, readers that do not read, clients that leave."""

import asyncio

import pytest

from serving.http import edge
from serving.http.edge import Edge
from serving.http.metrics import Metrics
from tests.serving.http.clients import AppClient


def client_of(app, log: list | None = None) -> AppClient:
    """Returns a client of an app inside the layer."""
    told = log if log is not None else []
    return AppClient(Edge(app, metrics=Metrics(), log=lambda *line: told.append(line)))


async def plain(scope, receive, send):
    """Answers with nothing."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("given", ["a", "2026-11-22T10:00:00/abc+1=@x_y.z", "x" * 128])
def test_a_sane_request_id_is_taken_over(given: str):
    """So that the log of a proxy and this one can be read together."""
    assert client_of(plain).get("/", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\tb", '"', "<script>", "ä".encode().decode("latin-1")])
def test_any_other_request_id_is_replaced(given: str):
    """What a stranger sends must not become a line of the log, or a header."""
    headers = {"X-Request-ID": given.encode("latin-1")}
    first, second = (client_of(plain).get("/", headers=headers).headers["X-Request-ID"] for _ in range(2))
    assert given not in (first, second)
    assert len(first) == 16
    assert first != second


def test_what_nobody_foresaw_tells_the_log_and_not_the_client():
    """The answer names the request, and the log says why under that name."""

    async def broken(scope, receive, send):
        raise ValueError("the password is 1234")

    log: list = []
    response = client_of(broken, log).get("/a?key=secret")
    assert (response.status_code, response.json()["reason"]) == (500, "unexpected")
    assert "1234" not in response.text
    (failed, request) = log
    assert "the password is 1234" in failed[2]["traceback"]
    assert failed[2]["request_id"] == request[2]["request_id"] == response.headers["X-Request-ID"]
    assert (request[1], request[2]["path"], request[2]["status"]) == ("error", "/a", 500)
    assert "secret" not in repr(log)


def test_answers_are_for_no_other_site_and_no_cache():
    """A route may say otherwise of its own."""

    async def own(scope, receive, send):
        headers = [(b"content-security-policy", b"default-src 'self'")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    headers = client_of(plain).get("/").headers
    assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert client_of(own).get("/").headers["Content-Security-Policy"] == "default-src 'self'"


def called(app, send) -> list:
    """Calls an app inside the layer with this `send`, and returns the log."""
    log: list = []
    scope = {"type": "http", "path": "/", "method": "GET", "headers": [], "client": ("127.0.0.1", 1)}
    layer = Edge(app, metrics=Metrics(), log=lambda *line: log.append(line))
    with pytest.raises(Exception):  # noqa: B017, PT011 (whatever closes the connection)
        asyncio.run(layer(scope, None, send))
    return log


@pytest.mark.parametrize("seconds", [60, 0.1])
def test_a_large_answer_that_is_read_too_slowly_is_given_up(monkeypatch: pytest.MonkeyPatch, seconds: float):
    """It is sent in pieces, all of which together may take no longer: what it says may be withdrawn meanwhile."""
    monkeypatch.setattr(edge, "SEND_SECONDS", 0.25)
    pieces = []

    async def large(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 1_000_000})

    async def read_some(message):
        pieces.append(len(message.get("body", b"")))
        if len(pieces) > 4:
            await asyncio.sleep(seconds)

    ((_, _, told),) = called(large, read_some)
    assert max(pieces) == edge.PIECE_BYTES
    assert 5 <= len(pieces) <= 8
    assert told["reason"] == "left"
