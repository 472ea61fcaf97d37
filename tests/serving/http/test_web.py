"""What queries may have fetched by http(s): public hosts that are allowed, and never anything of this network."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from serving.http import web
from serving.http.addresses import is_public
from serving.http.refusals import UnreachableError, UriRefusedError
from serving.http.web import Web

# Each of them reaches, or reached in some library or other, a machine that only this one may ask.
PRIVATE = [
    *("127.0.0.1", "127.1.2.3", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255"),  # noqa: S104
    *("100.64.0.1", "100.127.255.255", "169.254.169.254", "169.254.0.1", "172.16.0.1", "172.31.255.255"),
    *("192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1"),
    *("198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *(
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
    ),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:10::1"),
    *("2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1"),
    *("fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1"),
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.215.14", "172.32.0.1", "192.0.1.1", "2606:4700::1111", "2a00:1450:4001::1"]
# Ways to write an address or a host that two readers may read differently.
STRANGE = [
    *("http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/", "http://[::1]/"),
    *("http://user@img.example.org/", "http://img.example.org@127.0.0.1/", "http://img.example.org:80@127.0.0.1/"),
    *(
        "http://img.example.org\\@127.0.0.1/",
        "http://127.0.0.1\\.img.example.org/",
        "http://img.example.org#@127.0.0.1/",
    ),
    *("http:///etc/passwd", "http://", "http:img.example.org", "//img.example.org/", "ftp://img.example.org/"),
    *(
        "gopher://img.example.org/",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "http://img.example.org:99999/",
    ),
    *("http://img.example.org:22/", "http://img.example.org.evil.example/", "http://evil.example/img.example.org"),
    *(
        "http://img.example.org /",
        "http://img.example.org\r\nHost: x/",
        "http://img.example.org/\r\nX: y",
        "http://ımg.example.org/",
    ),
    *("http://①②⑦.⓪.⓪.①/", "http://img。example。org/", "http://localhost/", "http://metadata.google.internal/"),
]


@pytest.fixture
def nothing_leaves(monkeypatch: pytest.MonkeyPatch) -> list:
    """What was connected to, which fails."""
    asked: list = []

    def connect(address, *_, **__):
        asked.append(address)
        raise OSError("nothing leaves")

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    return asked


def read(uri: str, addresses: list[str], hosts: tuple[str, ...] = ("img.example.org",)) -> bytes:
    """Reads an address whose host has these addresses."""
    return b"".join(Web(hosts, resolves=lambda host, port: addresses).read(uri))


@pytest.mark.parametrize("address", PRIVATE)
def test_an_allowed_host_with_a_private_address_is_not_asked(nothing_leaves: list, address: str):
    """Whether it is the only address or one of two, by http and by https: no packet leaves."""
    assert not is_public(address)
    for uri in ("http://img.example.org/a.jpg", "https://img.example.org/a.jpg"):
        for addresses in ([address], ["1.1.1.1", address]):
            with pytest.raises(UriRefusedError, match="has an address that is not public"):
                read(uri, addresses)
    assert nothing_leaves == []


@pytest.mark.parametrize("uri", STRANGE)
def test_a_strange_address_is_not_asked(nothing_leaves: list, uri: str):
    """Not even if its host resolved to a public address."""
    with pytest.raises(UriRefusedError):
        read(uri, ["1.1.1.1"])
    assert nothing_leaves == []


@pytest.mark.parametrize("address", PUBLIC)
def test_the_address_that_was_checked_is_the_one_that_is_asked(nothing_leaves: list, address: str):
    """Whatever the name resolves to a moment later."""
    for scheme in ("http", "https"):
        with pytest.raises(UnreachableError):
            read(f"{scheme}://img.example.org/a.jpg", [address])
    assert nothing_leaves == [(address, 80), (address, 443)]


def test_without_an_allowed_host_nothing_is_asked(nothing_leaves: list):
    """By default http(s) is off."""
    with pytest.raises(UriRefusedError, match="is not allowed"):
        read("http://img.example.org/a.jpg", ["1.1.1.1"], hosts=())
    assert nothing_leaves == []


class _Photos(BaseHTTPRequestHandler):
    """A server of photos: /photo, /redirect, one whose /body never ends, and one whose /header does not."""

    def do_GET(self) -> None:
        """Answers."""
        self.server.seen.append((self.path, self.headers["Host"], self.headers.get("Accept-Encoding")))
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            self.end_headers()
            return
        if self.path != "/header":
            self.send_response(200)
            self.end_headers()
        with suppress(OSError):  # the other side may have gone
            for _ in range(1 if self.path == "/photo" else 50):
                if self.path != "/photo":
                    threading.Event().wait(0.1)
                self.wfile.write(b"photo")
                self.wfile.flush()

    def log_message(self, *_) -> None:
        """Says nothing."""


@pytest.fixture
def photos() -> Iterator[HTTPServer]:
    """A server on this machine."""
    server = HTTPServer(("127.0.0.1", 0), _Photos)
    server.seen = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def ask(server: HTTPServer, path: str) -> bytes:
    """Reads from the server as if it had a public address."""
    port = server.server_address[1]
    allowed = Web([f"img.example.org:{port}"], resolves=lambda *_: ["127.0.0.1"], is_allowed=lambda _: True)
    return b"".join(allowed.read(f"http://img.example.org:{port}{path}"))


def test_a_photo_is_fetched_under_the_name_of_its_host(photos: HTTPServer):
    """Uncompressed: a small answer must not become a large one."""
    assert ask(photos, "/photo") == b"photo"
    assert photos.seen == [("/photo", f"img.example.org:{photos.server_address[1]}", "identity")]


def test_a_redirect_is_not_followed(photos: HTTPServer):
    """Its target is not even looked at."""
    with pytest.raises(UnreachableError, match="answered with 302"):
        ask(photos, "/redirect")
    assert len(photos.seen) == 1


@pytest.mark.parametrize("path", ["/body", "/header"])
def test_a_slow_server_is_left(photos: HTTPServer, monkeypatch: pytest.MonkeyPatch, path: str):
    """The time is that of the whole photo, not of each byte."""
    monkeypatch.setattr(web, "FETCH_SECONDS", 0.5)
    started = time.monotonic()
    with pytest.raises(UnreachableError):
        ask(photos, path)
    assert time.monotonic() - started < 2
