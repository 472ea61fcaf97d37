"""Queries as lines of JSON: answered in their order, while others are on their way, in bounded memory."""

import asyncio
import base64
import http.client
import json
import time
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import Request

from foundation.errors import ArtifactRefusedError
from foundation.store.files import Store
from serving.http import lines as lines_module
from serving.http import stream_time
from serving.http.bodies import BodyMemory
from serving.http.line_reading import LineReader
from serving.http.options import ServeOptions
from serving.http.problems import Problem
from serving.http.service import make_app
from serving.live.errors import DeadlineExceeded
from serving.match.match import Outcome
from serving.match.options import MatchOptions
from tests.photos import jpeg, scene
from tests.serving.http.clients import AppClient
from tests.serving.http.fake_engine import FakeHeld, FakeLive
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


@pytest.mark.parametrize("bad", [b"{\n", b'{"id": "x"}\n', b"\xff\n", b'{"id": "x", "embedding": [""]}\n'])
def test_a_line_that_cannot_be_read_is_told_in_its_place(client: AppClient, bad: bytes):
    """The others are answered all the same."""
    response = client.post("/v1/lookup", content=line("a") + bad + line("b"), headers=LINES)
    first, broken, last = parsed(response.content)
    assert (first["id"], broken["id"], last["id"]) == ("a", None, "b")
    assert broken["problem"]["status"] == 422
    assert broken["problem"]["request_id"] == response.headers["X-Request-ID"]


def test_queries_that_never_reach_the_engine_are_counted(client: AppClient):
    """Among the others that could not be used, by why."""
    client.post("/v1/lookup", content=b'{"id": "a", "image": {"b64": "?"}}\n' * 2, headers=LINES)
    told = client.get("/metrics").text
    assert 'rejects_total{reason="not_base64"} 2' in told
    assert 'queries_total{status="rejected"} 2' in told


def test_a_line_that_is_too_large_is_the_last(client: AppClient):
    """What came before it is answered, and the last line has a problem and no id."""
    bad = b'{"id": "x", "image": {"b64": "' + b"A" * 100_001
    response = client.post("/v1/lookup", content=line("a") + bad + line("b"), headers=LINES)
    first, last = parsed(response.content)
    assert (first["id"], last["problem"]["status"], "id" in last) == ("a", 413, False)


class Scripted(FakeHeld):
    """A snapshot whose queries fail, or never come to anything, by their names."""

    def submit(self, query, options: MatchOptions) -> "Future[Outcome]":
        """Answers at once, never, or with an error."""
        if query.name == "never":
            return Future()
        if query.name == "broken":
            raise ArtifactRefusedError("/secret/place is damaged")
        if query.name == "late":
            raise DeadlineExceeded("it took too long")
        return super().submit(query, options)


class Scene:
    """An app with a scripted engine, and what it logged."""

    def __init__(self, folder: Path):
        self.live = FakeLive()
        self.live.held = Scripted(self.live.held.snapshot)
        self.log: list = []
        (folder / "photos").mkdir()
        self.options = ServeOptions(max_body_bytes=100_000, body_seconds=1, allow_uri=(str(folder / "photos"),))
        app = make_app(self.live, self.options, store=Store(folder), log=lambda *told: self.log.append(told))
        self.memory, self.client = app.state.service.memory, AppClient(app)

    def is_all_free(self) -> bool:
        """Returns whether no byte of any body is counted, and none is free that never was taken."""
        most = self.options.max_bodies_bytes
        return self.memory.take(most) and not self.memory.take(1)


@pytest.fixture
def scene_of_lines(tmp_path: Path) -> Scene:
    """An app with a scripted engine."""
    return Scene(tmp_path)


def test_one_query_that_fails_does_not_end_the_others(scene_of_lines: Scene):
    """It has a problem under its id; what the client is not told stands in the log."""
    body = line("late") + line("broken") + line("a")
    response = scene_of_lines.client.post("/v1/lookup", content=body, headers=LINES)
    late, broken, last = parsed(response.content)
    assert (late["id"], late["problem"]["status"], late["problem"]["reason"]) == ("late", 503, "deadline")
    assert (broken["id"], broken["problem"]["status"], last["id"]) == ("broken", 503, "a")
    assert "secret" not in response.text
    assert "/secret/place" in next(told for event, _, told in scene_of_lines.log if event == "failed")["traceback"]
    assert b'refused_total{reason="refused"} 1' in scene_of_lines.client.get("/metrics").content


def test_a_stream_that_ends_early_gives_all_its_room_back(scene_of_lines: Scene, monkeypatch: pytest.MonkeyPatch):
    """Lines that wait behind one that never comes are dropped with it; empty ones take nothing."""
    monkeypatch.setattr(stream_time, "STREAM_SECONDS", 0.5)
    monkeypatch.setattr(lines_module, "WINDOW", 2)
    body = b"\n" * 1_000 + line("a") + line("never") + b"".join(line(str(number)) for number in range(20))
    response = scene_of_lines.client.post("/v1/lookup", content=body, headers=LINES)
    first, last = parsed(response.content)
    assert (first["id"], last["problem"]["reason"]) == ("a", "slow_stream")
    assert scene_of_lines.is_all_free()


def test_photos_that_lines_name_take_room_until_they_are_answered(scene_of_lines: Scene, tmp_path: Path):
    """Not until the end of the stream, and not more of them at a time than a request may have."""
    photo = tmp_path / "photos" / "a.jpg"
    photo.write_bytes(PHOTO + bytes(60_000))
    room = scene_of_lines.memory
    assert room.take(scene_of_lines.options.max_bodies_bytes - 300_000)
    one = json.dumps({"id": "a", "image": {"uri": photo.as_uri()}}).encode() + b"\n"
    answers = parsed(scene_of_lines.client.post("/v1/lookup", content=one * 30, headers=LINES).content)
    assert [answer["answers"][0]["status"] for answer in answers] == ["no_match"] * 30
    assert room.take(-(scene_of_lines.options.max_bodies_bytes - 300_000))
    assert scene_of_lines.is_all_free()


def test_a_stream_ends_soon_after_a_newer_snapshot_answers(scene_of_lines: Scene, monkeypatch: pytest.MonkeyPatch):
    """Two snapshots are in memory at most: for as long as a stream holds an old one, the next but one waits."""
    monkeypatch.setattr(stream_time, "OUTDATED_SECONDS", 0.2)
    state = scene_of_lines.live.state
    lives = iter([7])
    scene_of_lines.live.state = lambda: replace(state(), live=next(lives, 8))
    response = scene_of_lines.client.post("/v1/lookup", content=line("a") + line("never"), headers=LINES)
    assert [one.get("id") for one in parsed(response.content)] == ["a", None]


def test_a_stream_gives_the_place_of_its_snapshot_back_soon(scene_of_lines: Scene, monkeypatch: pytest.MonkeyPatch):
    """Another one waits for it, though the same one is live: the stream ends with a problem while it waits itself."""
    monkeypatch.setattr(stream_time, "OUTDATED_SECONDS", 0.2)
    monkeypatch.setattr(stream_time, "LOOK_SECONDS", 0.1)
    looks = iter(range(1_000))
    monkeypatch.setattr(Scripted, "has_to_go", property(lambda _: next(looks) > 5), raising=False)
    content = line("a") + line("never")
    response = scene_of_lines.client.post("/v1/lookup?snapshot=7", content=content, headers=LINES)
    first, last = parsed(response.content)
    assert (first["id"], last["problem"]["reason"], "id" in last) == ("a", "slow_stream", False)
    assert scene_of_lines.is_all_free()


class Withdrawing(Scripted):
    """A snapshot that finds the same photo for every query, until it is withdrawn with the answer to the first."""

    def submit(self, query, options: MatchOptions) -> "Future[Outcome]":
        """Finds it, if it may; who asks first is told last."""
        found = [] if self.entries else ["the photo"]
        told: Future[Outcome] = Future()
        self.asked.append((query.name, told, Outcome(query.name, "matched" if found else "no_match", None, found)))
        if len(self.asked) >= 3:
            for _, one, outcome in self.asked:
                if not one.done():
                    one.set_result(outcome)
        return told

    def answers(self, outcome: Outcome, options: MatchOptions) -> list:
        """Something is withdrawn from now on."""
        self.entries = 1
        return super().answers(outcome, options)


def test_a_line_that_waited_is_told_without_what_was_withdrawn_meanwhile(scene_of_lines: Scene):
    """It was found before that, and waited for the line before it, which may be read slowly."""
    live = scene_of_lines.live
    live.held = Withdrawing(live.held.snapshot)
    body = b"".join(line(name) for name in "abc")
    answers = parsed(scene_of_lines.client.post("/v1/lookup", content=body, headers=LINES).content)
    assert [one["answers"][0]["status"] for one in answers] == ["matched", "no_match", "no_match"]
    assert [name for name, *_ in live.held.asked] == ["a", "b", "c", "b", "c"]


def test_a_line_has_its_time_however_small_its_pieces_are():
    """Neither empty lines nor single bytes make it begin anew."""

    async def receive():
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"\n", "more_body": True}

    async def read() -> None:
        request = Request({"type": "http", "method": "POST", "headers": []}, receive)
        with BodyMemory(100_000).room() as room:
            reader = LineReader(request, ServeOptions(body_seconds=1), room)
            async for _ in reader.lines():
                pass

    with pytest.raises(Problem) as caught:
        asyncio.run(asyncio.wait_for(read(), 10))
    assert caught.value.reason == "slow_body"


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
