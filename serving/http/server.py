"""Serves an app on a socket until it is told to end; what is being answered then is answered first."""

import asyncio
import signal
from collections.abc import Callable

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from starlette.types import ASGIApp

from serving.http.options import ServeOptions

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def serve(app: ASGIApp, options: ServeOptions, *, drain: Callable[[], None]) -> None:
    """Serves until a signal comes, then calls `drain`, takes no new connection, and returns once all are answered."""
    server = Server(
        app,
        address=options.host,
        port=options.port,
        interface=Interfaces.ASGINL,
        # Where granian listens for both versions of HTTP, it waits for ever for the first byte of a connection.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=round(options.header_seconds * 1_000)),
        websockets=False,
        backlog=1_024,
        log_enabled=False,
    )

    def end() -> None:
        drain()
        server.stop()

    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, end)
    try:
        await server.serve()
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
