"""Connections that are slow, stuck, half-closed or broken: each is closed in time, and nobody else waits for it."""

import http.client
import json
import socket
import struct
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.serving.http.running import Running, status_of

# The service of these tests waits 2 s for headers and 2 s for bodies.
SOON = 5.0
HEAD = b"POST /v1/lookup HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"


def connected(service: Running) -> socket.socket:
    """Returns a new connection."""
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=10)
    connection.settimeout(SOON + 5)
    return connection


def idle(connection: socket.socket) -> None:
    """Sends nothing."""


def idle_after_an_answer(connection: socket.socket) -> None:
    """Keeps a connection open after it was answered."""
    connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")


def drip_header(connection: socket.socket) -> None:
    """Sends a header that never ends."""
    drip(connection, b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ", b"a")


def drip_body(connection: socket.socket) -> None:
    """Sends a body by bytes that are further apart than it has time."""
    drip(connection, HEAD, b"1")


def drip_lines(connection: socket.socket) -> None:
    """Sends a line that never ends, to what answers line by line."""
    head = HEAD.replace(b"application/json", b"application/x-ndjson")
    drip(connection, head, b"1")


def stop_in_body(connection: socket.socket) -> None:
    """Stops in the midst of a body."""
    connection.sendall(HEAD + b"{")


def half_close_in_body(connection: socket.socket) -> None:
    """Says that nothing more comes, in the midst of a body."""
    connection.sendall(HEAD + b"{")
    connection.shutdown(socket.SHUT_WR)


def half_close_in_header(connection: socket.socket) -> None:
    """Says that nothing more comes, in the midst of a header."""
    connection.sendall(b"GET / HTTP/1.1\r\nHo")
    connection.shutdown(socket.SHUT_WR)


def drip(connection: socket.socket, head: bytes, piece: bytes) -> None:
    """Sends a head, and then a byte now and then until the connection is closed."""
    connection.sendall(head)
    end = time.monotonic() + SOON + 5
    connection.settimeout(0.2)
    while time.monotonic() < end:
        try:
            connection.sendall(piece)
            if not connection.recv(4_096):
                return
        except TimeoutError:
            continue
        except OSError:
            return


def read_to_end(connection: socket.socket) -> bytes:
    """Returns what still comes until the connection is closed; fails if it stays open."""
    received = b""
    connection.settimeout(SOON + 5)
    try:
        while piece := connection.recv(65_536):
            received += piece
    except ConnectionError:
        pass
    return received


BAD = [
    idle,
    idle_after_an_answer,
    drip_header,
    drip_body,
    drip_lines,
    stop_in_body,
    half_close_in_body,
    half_close_in_header,
]


@pytest.mark.parametrize("behave", BAD)
def test_a_slow_connection_is_closed_soon(service: Running, behave: Callable[[socket.socket], None]):
    """Neither a header nor a body is waited for any longer than the limits say."""
    with connected(service) as connection:
        started = time.monotonic()
        behave(connection)
        read_to_end(connection)
        assert time.monotonic() - started < SOON


def test_two_hundred_bad_connections_hold_nobody_up(service: Running):
    """While they are open every other request is answered at once, and all of them are closed."""
    with ThreadPoolExecutor(200) as threads:
        connections = [connected(service) for _ in range(200)]
        started = time.monotonic()
        behaving = [threads.submit(BAD[number % len(BAD)], one) for number, one in enumerate(connections)]
        waits = []
        while time.monotonic() - started < 1.5:
            asked = time.monotonic()
            assert status_of(f"{service.address}/readyz") == 200
            waits.append(time.monotonic() - asked)
        for one in behaving:
            one.result()
        for one in connections:
            read_to_end(one)
            one.close()
        assert time.monotonic() - started < 2 * SOON
    assert sorted(waits)[len(waits) // 2] < 0.2
    assert status_of(f"{service.address}/readyz") == 200


def test_a_slow_body_is_told_why_it_was_refused(service: Running):
    """408, and the connection is closed."""
    with connected(service) as connection:
        connection.sendall(HEAD + b"{")
        head, _, body = read_to_end(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408")
    assert b"connection: close" in head.lower()
    assert b'"reason":"slow_body"' in body


def test_a_large_body_is_refused_before_it_comes(service: Running):
    """What declares too many bytes is answered at once; what declares nothing, as soon as it brings too many."""
    with connected(service) as connection:
        connection.sendall(HEAD.replace(b"1000", b"100000000"))
        assert read_to_end(connection).startswith(b"HTTP/1.1 413")
    with connected(service) as connection:
        connection.sendall(HEAD.replace(b"Content-Length: 1000", b"Transfer-Encoding: chunked"))
        sent = 0
        with suppress(OSError):  # a reset or a broken pipe
            while sent < 10**8:
                sent += connection.send(b"10000\r\n" + b"a" * 65_536 + b"\r\n")
        assert sent < 10**8
    assert status_of(f"{service.address}/readyz") == 200


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (HEAD.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n"), b"400"),
        (b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n", b"431"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), b"400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b""),
        (b"GET /v1/snapshot HTTP/1.1\r\n\r\n", b"403"),
        (b"GET /v1/snapshot HTTP/1.1\r\nHost: rebound.example\r\n\r\n", b"403"),
    ],
)
def test_what_is_no_proper_request_is_refused(service: Running, request_: bytes, status: bytes):
    """Lengths given twice, headers without end, other protocols, no host or that of a stranger."""
    with connected(service) as connection:
        connection.sendall(request_)
        assert (connection.recv(4_096) + b" ").split(b" ")[1] == status


def test_a_request_with_two_lengths_is_the_last_of_its_connection(service: Running):
    """What follows it might be read as another request by a proxy before this: nothing that follows is answered."""
    head = HEAD.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    with connected(service) as connection:
        connection.sendall(head + b"0\r\n\r\nGET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert read_to_end(connection).count(b"HTTP/1.1 ") == 1


def test_a_client_that_leaves_costs_nothing(service: Running):
    """Neither in the midst of its body nor while it waits; others are answered as before."""
    for sent in (HEAD + b"{", HEAD + b'{"queries":[{"id":"a","image":{"b64":""}}]}'.ljust(1_000)):
        for _ in range(20):
            with connected(service) as connection:
                connection.sendall(sent)
                # It resets the connection instead of ending it.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert status_of(f"{service.address}/readyz") == 200
    assert not [line for line in service.lines() if line.get("status") == 500]


@pytest.mark.parametrize("size", [2_500_000, 30_000_000])
@pytest.mark.parametrize("is_declared", [True, False])
def test_whoever_sends_too_much_is_told_before_the_connection_ends(service: Running, size: int, is_declared: bool):
    """A client that first sends all of it and then reads would else find a broken connection, and no answer."""
    for _ in range(2):
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
        headers = {"Content-Type": "application/json"} | ({"Content-Length": str(size)} if is_declared else {})
        pieces = (bytes(100_000) for _ in range(size // 100_000))
        connection.request("POST", "/v1/lookup", pieces, headers, encode_chunked=not is_declared)
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())["reason"]) == (413, "body_too_large")
        connection.close()
