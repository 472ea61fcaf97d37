"""Fetches photos by http(s) from hosts that are allowed: resolved once, public addresses only, no redirects."""

import socket
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from http.client import HTTPException
from threading import Timer
from time import monotonic
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from serving.http.addresses import is_public, resolve
from serving.http.refusals import UnreachableError, UriRefusedError

SCHEMES = {"http": 80, "https": 443}
FETCH_SECONDS = 10.0
WAIT_SECONDS = 4.0
CHUNK_BYTES = 65_536
_USER_AGENT = "firstseen"


class Target(NamedTuple):
    """What is asked of a host: `address` is where it is asked, whatever its name resolves to a moment later."""

    scheme: str
    host: str
    port: int
    address: str
    path: str


class Web:
    """Fetches from allowed hosts, each `NAME` or `NAME:PORT`; without a port those of http and https are meant.

    `is_allowed` says of an address whether it may be asked.
    """

    def __init__(
        self,
        hosts: Sequence[str],
        *,
        resolves: Callable[[str, int], Sequence[str]] = resolve,
        is_allowed: Callable[[str], bool] = is_public,
    ):
        self._hosts = {host.lower() for host in hosts}
        self._resolves, self._is_allowed = resolves, is_allowed

    def read(self, uri: str) -> Generator[bytes, None, None]:
        """Yields what lies at an address; raises UriRefusedError before anything is sent, or UnreachableError."""
        target = self._target(uri)
        try:
            yield from _body(target)
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            raise UnreachableError(f"{target.host} gave no photo: {type(error).__name__}; expected a file") from error

    def _target(self, uri: str) -> Target:
        parts, port = _parsed(uri)
        host = (parts.hostname or "").lower()
        names = {host, f"{host}:{port}"} if port == SCHEMES[parts.scheme] else {f"{host}:{port}"}
        if not names & self._hosts:
            raise UriRefusedError(f"the host {host[:100]!r} is not allowed; expected one that --allow-host names")
        addresses = self._resolves(host, port)
        # One public address among others is no reason to trust the name.
        refused = [address for address in addresses if not self._is_allowed(address)]
        if refused or not addresses:
            raise UriRefusedError(f"the host {host[:100]!r} has an address that is not public; expected public ones")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Target(parts.scheme, host, port, addresses[0], path)


def _parsed(uri: str) -> tuple[SplitResult, int]:
    """Returns the parts of an address and its port; refuses what two readers might read differently."""
    try:
        if not uri.isascii() or not uri.isprintable() or any(one in uri for one in ' \\"#<>^`{|}'):
            raise ValueError
        parts = urlsplit(uri)
        port = parts.port or SCHEMES[parts.scheme]
        if "@" in parts.netloc or not parts.hostname:
            raise ValueError
    except (ValueError, KeyError) as error:
        raise UriRefusedError(
            f"{uri[:100]!r} is no address that is fetched; expected http(s)://HOST/PATH, percent-encoded"
        ) from error
    return parts, port


def _connection(target: Target) -> HTTPConnection:
    """Returns a connection, not yet made; the certificate is that of the name, also where the address is asked."""
    if target.scheme == "https":
        return HTTPSConnection(
            target.address,
            target.port,
            timeout=WAIT_SECONDS,
            server_hostname=target.host,
            assert_hostname=target.host,
            cert_reqs="CERT_REQUIRED",
        )
    return HTTPConnection(target.address, target.port, timeout=WAIT_SECONDS)


@contextmanager
def _connected(target: Target) -> Iterator[HTTPConnection]:
    """Yields a connection that ends after a time; a timeout alone would begin anew with each byte."""
    connection = _connection(target)
    connection.connect()
    # The answer takes the socket over where the server closes the connection after it.
    connected = connection.sock

    def end() -> None:
        with suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    timer = Timer(FETCH_SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield connection
    finally:
        timer.cancel()
        connection.close()


def _body(target: Target) -> Generator[bytes, None, None]:
    host = f"[{target.host}]" if ":" in target.host else target.host
    named = host if target.port == SCHEMES[target.scheme] else f"{host}:{target.port}"
    headers = {"Host": named, "User-Agent": _USER_AGENT, "Accept": "image/*", "Accept-Encoding": "identity"}
    started = monotonic()
    with _connected(target) as connection:
        connection.request("GET", target.path, headers=headers, preload_content=False, decode_content=False)
        with closing(connection.getresponse()) as response:
            if response.status != 200:
                raise UnreachableError(f"{target.host} answered with {response.status}; expected 200, no redirect")
            while chunk := response.read1(CHUNK_BYTES, decode_content=False):
                yield chunk
        if monotonic() - started >= FETCH_SECONDS:
            raise UnreachableError(f"{target.host} took longer than {FETCH_SECONDS:g} s; expected a faster one")
