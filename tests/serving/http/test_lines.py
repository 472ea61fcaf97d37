"""Queries as lines of JSON: answered in their order, while others are on their way, in bounded memory."""

import base64
import http.client
import json
import time
from pathlib import Path

import pytest

from foundation.store.files import Store
from serving.http.options import ServeOptions
from serving.http.service import make_app
from tests.photos import jpeg, scene
from tests.serving.http.clients import AppClient
from tests.serving.http.fake_engine import FakeLive
from tests.serving.http.running import Running

LINES = {"Content-Type": "application/x-ndjson"}
PHOTO = jpeg(scene(1))


def line(name: str, data: bytes = PHOTO) -> bytes:
    """Returns the line of a query."""
    return json.dumps({"id": name, "image": {"b64": base64.b64encode(data).decode()}}).encode() + b"\n"


def parsed(body: bytes) -> list[dict]:
    """Returns the lines of an answer."""
    return [json.loads(one) for one in body.splitlines()]


@pytest.fixture
def client(tmp_path: Path) -> AppClient:
    """A client of an app whose engine answers at once."""
    return AppClient(make_app(FakeLive(), ServeOptions(max_body_bytes=100_000), store=Store(tmp_path)))


def test_each_line_is_answered_in_its_place(client: AppClient):
    """Empty lines are nothing, and the last one needs no end; the snapshot stands in the header."""
    body = line("a") + b"\r\n\n" + line("b", b"text") + line("c").rstrip(b"\n")
    response = client.post("/v1/lookup?top_k=2&similar=true", content=body, headers=LINES)
    assert (response.status_code, response.headers["X-Firstseen-Snapshot"]) == (200, "7")
    found = [(one["id"], one["answers"][0]["query"], one["answers"][0]["status"]) for one in parsed(response.content)]
    assert found == [("a", "a", "no_match"), ("b", "b", "rejected"), ("c", "c", "no_match")]


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        (b"{\n", 422),
        (b'{"id": "x"}\n', 422),
        (b"\xff\n", 422),
        (b'{"id": "x", "image": {"b64": "' + b"A" * 100_001, 413),
    ],
)
def test_a_line_that_cannot_be_read_is_the_last(client: AppClient, bad: bytes, status: int):
    """What came before it is answered, and the last line says what is wrong."""
    response = client.post("/v1/lookup", content=line("a") + bad + line("b"), headers=LINES)
    first, last = parsed(response.content)
    assert first["id"] == "a"
    assert last["problem"]["status"] == status
    assert last["problem"]["request_id"] == response.headers["X-Request-ID"]


def test_what_is_asked_of_all_lines_is_checked_before_the_first(client: AppClient):
    """Options that are none and a snapshot that is not there are problems, and no lines."""
    for query, status in (("top_k=0", 422), ("unknown=1", 422), ("claimed_date=May", 422), ("snapshot=8", 404)):
        response = client.post(f"/v1/lookup?{query}", content=line("a"), headers=LINES)
        assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")


def test_no_lines_have_no_answers(client: AppClient):
    """An empty stream is not an error."""
    response = client.post("/v1/lookup", content=b"", headers=LINES)
    assert (response.status_code, response.content) == (200, b"")


def test_a_line_is_answered_before_the_next_one_comes(service: Running):
    """Whoever sends one now and then does not wait for the last."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    connection.putrequest("POST", "/v1/lookup")
    for name, value in (*LINES.items(), ("Transfer-Encoding", "chunked")):
        connection.putheader(name, value)
    connection.endheaders()
    file = connection.sock.makefile("rb")
    lines = []
    for name in ("a", "b", "c"):
        body = line(name)
        connection.sock.sendall(b"%x\r\n%s\r\n" % (len(body), body))
        while len(lines) < {"a": 1, "b": 2, "c": 3}[name]:
            if (received := file.readline()).startswith(b"{"):
                lines.append(json.loads(received))
    connection.sock.sendall(b"0\r\n\r\n")
    assert [one["id"] for one in lines] == ["a", "b", "c"]
    connection.close()


def test_hundreds_of_lines_are_answered_by_one_snapshot_in_order(service: Running):
    """More than the engine has places for: whoever sends them is held up, and not sent away."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    names = [str(number) for number in range(400)]
    photos = [jpeg(scene(number)) for number in range(8)]
    body = b"".join(line(name, photos[int(name) % 8]) for name in names)
    connection.request("POST", "/v1/lookup", body, LINES)
    response = connection.getresponse()
    answers = parsed(response.read())
    assert [one["id"] for one in answers] == names
    assert {row["snapshot"] for one in answers for row in one["answers"]} == {1}
    assert {one["answers"][0]["verdict"] for one in answers} == {"identical"}
    connection.close()


def test_a_client_that_reads_nothing_is_left(service: Running):
    """Its queries are not answered for ever: the service waits for a reader only so long, and then goes on."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    body = line("x" * 1_000) * 50
    connection.request("POST", "/v1/lookup?top_k=10&similar=true", body, LINES)
    time.sleep(0.5)
    connection.close()
    probe = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    probe.request("GET", "/readyz")
    assert probe.getresponse().status == 200
    probe.close()
