"""A connection to a server that misbehaves: what is tried again, for how long, and what a user is told."""

import socket
import threading
import time
from collections.abc import Callable

import pytest

from foundation.errors import (
    AccessDeniedError,
    FirstseenError,
    InputNotFoundError,
    TemporaryError,
    UnknownVersionError,
    UsageError,
)
from serving.match.query import Query
from serving.remote import connection
from serving.remote.options import RemoteOptions
from serving.remote.remote_searcher import RemoteSearcher, open_server
from tests.serving.remote.stub import SNAPSHOT, Handler, Stub, cut, drip, hang_up, problem, raw, reply

HASTY = RemoteOptions(connect_seconds=1, read_seconds=1, patience_seconds=3)
PHOTO = [Query("photo", lambda: b"bytes")]


@pytest.fixture
def searcher(stub: Stub, monkeypatch: pytest.MonkeyPatch):
    """A client that has asked once, and that waits little."""
    monkeypatch.setattr(connection, "FIRST_WAIT_SECONDS", 0.02)
    with open_server(stub.address, remote=HASTY) as opened:
        stub.at.clear()
        yield opened


def message_of(searcher: RemoteSearcher, kind: type[FirstseenError]) -> str:
    """Returns what a failed lookup says, in one line."""
    with pytest.raises(kind) as caught:
        list(searcher.lookup(PHOTO))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def html(status: int, **headers: str) -> Callable[[Handler], None]:
    """What a proxy says of its own."""
    return raw(status, b"<html><h1>nginx</h1></html>", "text/html", **headers)


@pytest.mark.parametrize(
    "trouble", [problem(503, "full"), html(502), html(503), html(504), problem(429, "slowly"), cut, hang_up, drip]
)
def test_what_passes_is_asked_again(stub: Stub, searcher: RemoteSearcher, trouble: Callable[[Handler], None]):
    """Twice busy, cut off or silent, and then answered: nobody notices."""
    stub.next.extend([trouble, trouble])
    (rows,) = searcher.lookup(PHOTO)
    assert rows[0].status == "no_match"
    assert len(stub.at) == 3


def test_the_server_says_how_long_to_wait(stub: Stub, searcher: RemoteSearcher):
    """Retry-After in seconds; not less, and not as long as the default."""
    stub.next.append(problem(503, "full", Retry_After="1"))
    list(searcher.lookup(PHOTO))
    assert 1 <= stub.at[1] - stub.at[0] < 2


def test_a_date_to_wait_for_is_understood(stub: Stub, searcher: RemoteSearcher):
    """Retry-After as a date, here one that is past."""
    stub.next.append(problem(429, "slowly", Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"))
    list(searcher.lookup(PHOTO))
    assert stub.at[1] - stub.at[0] < 0.5


def test_patience_ends(stub: Stub, searcher: RemoteSearcher):
    """A wait that is longer than it lasts is not begun; the line says why, and the exit code that it passes."""
    stub.next.append(problem(503, "the queue is full", Retry_After="4"))
    began = time.monotonic()
    told = message_of(searcher, TemporaryError)
    assert time.monotonic() - began < 1
    assert told == (
        f"server {stub.address} is busy or not ready: the queue is full (request r-1); it takes longer than the "
        "3 s that are waited for it: run it again later"
    )
    stub.next.extend([html(502)] * 1_000)
    assert "status 502 Bad Gateway" in message_of(searcher, TemporaryError)
    assert time.monotonic() - began < 6


def test_a_wait_is_told_once(stub: Stub, searcher: RemoteSearcher, caplog: pytest.LogCaptureFixture):
    """What for, and for how long at most, whichever of several requests waits first; and nothing without a wait."""
    list(searcher.lookup(PHOTO))
    assert caplog.messages == []
    stub.next.extend([problem(503, "the store is being opened", Retry_After="0")] * 6)
    assert len(list(searcher.lookup(PHOTO * 20))) == 20
    (told,) = caplog.messages
    assert told == (
        f"waiting up to 3 s: server {stub.address} is busy or not ready: the store is being opened (request r-1)"
    )


def test_a_slow_drip_ends(stub: Stub, searcher: RemoteSearcher):
    """Each byte comes in time, and the answer would take a minute."""
    stub.next.extend([drip] * 10)
    began = time.monotonic()
    assert "its answer takes longer than 1 s" in message_of(searcher, TemporaryError)
    assert time.monotonic() - began < 6


def test_a_silent_server_ends(stub: Stub, searcher: RemoteSearcher):
    """It takes the request, and says nothing."""
    stub.next.extend([lambda handler: time.sleep(2)] * 10)
    assert "does not answer: " in message_of(searcher, TemporaryError)


@pytest.mark.parametrize(
    ("key", "status", "told"),
    [
        (None, 401, "wants a key, and none was given; expected a valid one in the variable FIRSTSEEN_KEY"),
        ("sesame", 401, "does not know this key, or it has expired; expected a valid one"),
        ("sesame", 403, "refuses this: no such role; expected a key with the role search"),
    ],
)
def test_a_key_that_opens_nothing(stub: Stub, key: str | None, status: int, told: str):
    """The line says what to do, and never the key."""
    stub.next.append(problem(status, "no such role"))
    with pytest.raises(AccessDeniedError) as caught:
        open_server(stub.address, key=key)
    assert told in str(caught.value)
    assert "sesame" not in str(caught.value)
    assert len(stub.at) == 1


def test_the_key_is_sent_to_the_server_alone(stub: Stub, monkeypatch: pytest.MonkeyPatch):
    """From the argument or the variable, with each request; a redirect is not followed, which would carry it away."""
    monkeypatch.setenv("FIRSTSEEN_KEY", "of-the-variable\n")
    with open_server(stub.address) as searcher:
        list(searcher.lookup(PHOTO))
    with open_server(stub.address, key="of-the-argument") as searcher:
        stub.next.append(html(307, Location=f"{stub.address}/elsewhere"))
        told = message_of(searcher, UsageError)
    assert f"redirects to {stub.address}/elsewhere; expected the address of the service itself" in told
    sent = [headers.get("Authorization") for headers in stub.headers]
    assert sent == ["Bearer of-the-variable"] * 2 + ["Bearer of-the-argument"] * 2
    assert "/elsewhere" not in stub.paths


def test_a_large_photo_is_told_by_its_answer(stub: Stub, searcher: RemoteSearcher):
    """A limit of a proxy counts like one of the server."""
    stub.next.append(html(413))
    (rows,) = searcher.lookup(PHOTO)
    assert rows[0].reason == (
        f"too_large: server {stub.address} takes no request of this size: status 413 Request Entity Too Large"
    )


@pytest.mark.parametrize("status", [408, 413])
def test_what_is_too_large_or_too_slow_is_sent_in_halves(stub: Stub, searcher: RemoteSearcher, status: int):
    """A slow line carries two small forms where it does not carry a large one in time."""
    stub.next.append(problem(status, "too much"))
    assert [rows[0].status for rows in searcher.lookup(PHOTO * 4)] == ["no_match"] * 4
    assert [len(photos) for photos, _ in stub.asked] == [4, 2, 2]


@pytest.mark.parametrize(
    "other", [html(200), raw(404, b"", "text/plain"), html(401), raw(200, b"\xff\xd8", "image/jpeg")]
)
def test_another_service_is_no_server(stub: Stub, other: Callable[[Handler], None]):
    """One line that says what is there instead."""
    stub.next.append(other)
    with pytest.raises(InputNotFoundError, match=r"not as firstseen; expected `firstseen serve` there"):
        open_server(stub.address)


def test_an_address_below_the_service_is_told(stub: Stub):
    """Somebody named the path of an endpoint, or that of a page."""
    stub.next.append(problem(404, "there is nothing at 'GET /firstseen/v1/snapshot'; expected GET /v1/snapshot"))
    with pytest.raises(InputNotFoundError, match=r"answers as firstseen, but not at this address; expected that"):
        open_server(f"{stub.address}/v1/lookup")


def test_a_server_of_another_protocol_is_told(stub: Stub):
    """A port of something else is a wrong address, and no condition that passes."""
    stub.next.append(lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n") and hang_up(handler))
    with pytest.raises(InputNotFoundError, match="does not speak HTTP; expected `firstseen serve` there"):
        open_server(stub.address)


def test_a_server_without_tls_is_told(stub: Stub):
    """Its certificate is not what is wrong."""
    with pytest.raises(UsageError, match=r"does not speak TLS; expected http:// in its address"):
        open_server(stub.address.replace("http:", "https:"))


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 70}.example"])
def test_a_name_that_is_none_is_no_condition_that_passes(host: str):
    """It is refused as a typing error."""
    with pytest.raises(UsageError, match=r"is no address: "):
        open_server(f"http://{host}")


@pytest.mark.parametrize(
    "body",
    [
        {**SNAPSHOT, "number": "seven"},
        {"name": "another service that speaks JSON"},
    ],
)
def test_a_snapshot_of_another_contract_is_refused(stub: Stub, body: dict):
    """As a file of the store that a newer program wrote."""
    stub.next.append(reply(body))
    with pytest.raises(UnknownVersionError, match=r"does not know .*; expected the same version of firstseen"):
        open_server(stub.address)


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: answer.update(results=[]),
        lambda answer: answer.pop("results"),
        lambda answer: answer["results"][0].update(id="1"),
        lambda answer: answer["results"][0].update(answers=[]),
        lambda answer: answer["results"][0]["answers"][0].update(status="half_matched"),
        lambda answer: answer["results"][0]["answers"][0].update(score="good"),
        lambda answer: answer["results"][0]["answers"][0].pop("snapshot"),
    ],
)
def test_answers_of_another_contract_are_refused(
    stub: Stub, searcher: RemoteSearcher, change: Callable[[dict], object]
):
    """A missing result, another's result, or a value that is none: nothing is guessed."""
    plain = stub.answer

    def answer(asked):
        body = plain(asked)
        change(body)
        return body

    stub.answer = answer
    assert "answers by a contract that this client does not know" in message_of(searcher, UnknownVersionError)


def test_what_a_newer_server_adds_is_passed_over(stub: Stub, searcher: RemoteSearcher):
    """Columns are known by their names: one more breaks nobody."""
    plain = stub.answer

    def answer(asked):
        body = plain(asked)
        body["results"][0]["answers"][0]["mood"] = "blue"
        return {**body, "took": 1}

    stub.answer = answer
    (rows,) = searcher.lookup(PHOTO)
    assert rows[0].status == "no_match"


def test_a_failure_is_no_reason_to_ask_again(stub: Stub, searcher: RemoteSearcher):
    """A photo that breaks a server must not break it ten times; the line names the request for its log."""
    stub.next.append(problem(500, "the service failed"))
    assert "failed with status 500: the service failed (request r-1)" in message_of(searcher, FirstseenError)
    assert len(stub.at) == 1


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (hang_up, "does not answer: Remote end closed connection without response; it takes longer than the 0 s"),
        (cut, "does not answer: Connection broken: IncompleteRead(14 bytes read, 99986 more expected); it takes"),
        (lambda handler: time.sleep(2), "does not answer: timed out; it takes longer than the 0 s"),
    ],
)
def test_a_connection_that_ends_is_told_plainly(stub: Stub, trouble: Callable[[Handler], None], told: str):
    """Without the objects of a library in it."""
    with open_server(stub.address, remote=RemoteOptions(read_seconds=1, patience_seconds=0)) as searcher:
        stub.next.append(trouble)
        assert told in message_of(searcher, TemporaryError)


def test_what_strangers_say_is_no_command_of_a_terminal(stub: Stub, searcher: RemoteSearcher):
    """Codes that would colour or clear it are spelled out, and long words cut."""
    stub.next.append(problem(422, "\x1b[2Jred\n" + "x" * 10_000))
    told = message_of(searcher, UsageError)
    assert "\x1b" not in told
    assert len(told) < 700


def test_nobody_waits_for_a_server_that_never_answered():
    """A wrong port is told at once, and not after minutes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = "http://127.0.0.1:{1}".format(*free.getsockname())
    began = time.monotonic()
    with pytest.raises(TemporaryError, match=r"does not answer: Connection refused; expected `firstseen serve` there"):
        open_server(address)
    assert time.monotonic() - began < 2


def test_a_name_without_an_address(monkeypatch: pytest.MonkeyPatch):
    """A typing error is no condition that passes."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(InputNotFoundError, match=r"server http://nowhere.example has no address"):
        open_server("http://nowhere.example")


def test_closing_ends_a_wait(stub: Stub):
    """Whoever waits for a busy server gives up when the searcher is closed."""
    with open_server(stub.address) as searcher:
        stub.next.append(problem(503, "full", Retry_After="60"))
        threading.Timer(0.3, searcher.close).start()
        assert "was closed while it looked up" in message_of(searcher, UsageError)


def test_closing_ends_an_answer_that_does_not_come(stub: Stub, caplog: pytest.LogCaptureFixture):
    """Ctrl-C in a program closes the searcher, and Python waits at its end for threads that still ask."""
    asked = threading.Event()
    stub.answer = lambda _: asked.set() or time.sleep(30)
    with open_server(stub.address) as searcher:
        began = time.monotonic()
        threading.Thread(target=lambda: asked.wait(20) and searcher.close()).start()
        assert "was closed while it looked up" in message_of(searcher, UsageError)
    assert time.monotonic() - began < 15
    assert caplog.messages == []
