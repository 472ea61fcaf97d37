"""Bounds the work for one request: it ends when its client has left, and when it takes too long."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from serving.http.problems import busy

Result = TypeVar("Result")


async def while_connected(request: Request, work: Coroutine[Any, Any, Result], *, seconds: float) -> Result:
    """Returns what the work comes to; its body must have been read before.

    Raises ClientDisconnect if the client leaves, a Problem, 503, if the work takes longer; either cancels it.
    """
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait((working, leaving), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        if leaving.done():
            raise ClientDisconnect
        detail = f"there is no answer after {seconds:g} s; expected one: ask again later, or for less at once"
        raise busy("deadline", detail, retry_after_seconds=1)
    finally:
        for task in (working, leaving):
            task.cancel()
        with suppress(Exception, asyncio.CancelledError):
            await working


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
