"""Serves an app on a socket until it is told to end; what is being answered then is answered first."""

import asyncio
import os
import resource
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.net import SocketHolder
from granian.server.embed import Server
from starlette.types import ASGIApp

from foundation.errors import FirstseenError, UsageError
from serving.http.options import ServeOptions
from serving.http.starting import Doorway

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BACKLOG = 1_024
# granian counts connections, idle ones too: a thousand of them must not keep others out.
MOST_CONNECTIONS = 8_192
# A client that reads nothing of its answer keeps its connection for so long.
UNREAD_MILLISECONDS = 20_000
# The system would take megabytes of an answer, and send them for as long as a slow reader goes on, also when it was
# given up long since, and what it says withdrawn. What is on its way to a fast one does not count.
UNSENT_BYTES = 65_536


class Opened(NamedTuple):
    """What is served: an app, and what says that it shall not be asked anything more."""

    app: ASGIApp
    drain: Callable[[], None]


class Ended(NamedTuple):
    """How a service ended: whether it had begun to answer, and how many requests were cut off."""

    was_ready: bool
    cut_off: int


class _Server(Server):
    """granian on a socket of our own: its port is known, and its options are those of every connection."""

    def __init__(self, app: ASGIApp, listening: socket.socket, options: ServeOptions):
        self._listening = listening
        super().__init__(
            app,
            interface=Interfaces.ASGINL,
            # Where granian listens for both versions of HTTP, it waits for ever for the first byte of a connection.
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=round(options.header_seconds * 1_000)),
            websockets=False,
            backlog=BACKLOG,
            backpressure=MOST_CONNECTIONS,
            log_enabled=False,
        )

    def _init_shared_socket(self) -> None:
        self._shd = SocketHolder(os.dup(self._listening.fileno()), False, BACKLOG)  # type: ignore


def bind(options: ServeOptions) -> socket.socket:
    """Returns a socket at the address, on which nobody listens yet; raises UsageError if it cannot be had."""
    with suppress(ValueError, OSError):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _cannot_listen(options, error) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux hands both on to every connection
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MILLISECONDS)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        listening.bind(address)
    except OSError as error:
        listening.close()
        raise _cannot_listen(options, error) from error
    return listening


async def serve(
    opens: Callable[[], Opened], listening: socket.socket, options: ServeOptions, *, on_ready: Callable[[], None]
) -> Ended:
    """Serves what `opens` opens in a thread until a signal comes, and returns once all that was asked is answered.

    Meanwhile the service lives and is not ready; if the signal comes before it is, what `opens` does is not waited for.
    After one that is not of a person at a keyboard it goes on for `drain_notice_seconds`, not ready, so that whoever
    probes it sends nobody any more. A second signal ends what is still being answered, as do `drain_seconds`.
    """
    doorway, signals = Doorway(), _Signals()
    server = _Server(doorway, listening, options)
    serving = asyncio.ensure_future(server.serve())
    listening.listen(BACKLOG)
    try:
        with signals:
            opening, first = _in_thread(opens), asyncio.ensure_future(signals.next())
            await asyncio.wait((opening, serving, first), return_when=asyncio.FIRST_COMPLETED)
            if first.done() and not opening.done():
                return Ended(False, 0)
            opened = await opening
            doorway.app = opened.app
            on_ready()
            await asyncio.wait((serving, first), return_when=asyncio.FIRST_COMPLETED)
            if not first.done():
                raise FirstseenError("the server ended by itself; expected it to serve: start it again")
            opened.drain()
            second = asyncio.ensure_future(signals.next())
            if first.result() != signal.SIGINT:
                await asyncio.wait((second,), timeout=options.drain_notice_seconds)
            # granian has a descriptor of its own: while any is open, the system takes new connections.
            listening.close()
            server.stop()
            await asyncio.wait((serving, second), timeout=options.drain_seconds, return_when=asyncio.FIRST_COMPLETED)
            return Ended(True, doorway.under_way)
    finally:
        server.stop()
        await asyncio.wait((serving,), timeout=0.5)


def _cannot_listen(options: ServeOptions, error: OSError) -> UsageError:
    return UsageError(
        f"nothing can listen at {options.host}, port {options.port}: {error.strerror}; expected a free port of this "
        "machine: --host, --port"
    )


class _Signals:
    """Tells of each signal that ends a service, inside its block; what `nohup` ignores stays ignored."""

    def __init__(self) -> None:
        self._come: asyncio.Queue[int] = asyncio.Queue()
        self._before = {number: signal.getsignal(number) for number in SIGNALS}

    async def next(self) -> int:
        """Waits for a signal, and returns its number."""
        return await self._come.get()

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        for number, handler in self._before.items():
            if handler is not signal.SIG_IGN:
                loop.add_signal_handler(number, self._come.put_nowait, number)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, handler)


def _in_thread(opens: Callable[[], Opened]) -> "asyncio.Future[Opened]":
    """Calls a function in a thread that nobody has to wait for."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Opened] = loop.create_future()

    def tell(result: Opened | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        elif result is not None:
            future.set_result(result)

    def call() -> None:
        result, failure = None, None
        try:
            result = opens()
        except BaseException as error:
            failure = error
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(tell, result, failure)

    threading.Thread(target=call, name="open", daemon=True).start()
    return future
