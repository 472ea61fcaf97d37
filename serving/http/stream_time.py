"""Bounds how long a stream of lines may take, for it holds a snapshot whose place others may wait for."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from serving.live.held import Held
from serving.live.live_searcher import LiveSearcher

# An old snapshot stays in memory for as long as a stream is answered by it.
STREAM_SECONDS = 600
# Another one waits for its place, or the next but one will. With what follows it is the minute that is promised.
OUTDATED_SECONDS = 50
# How often it is seen whether another snapshot came.
LOOK_SECONDS = 1

Result = TypeVar("Result")


class StreamTime:
    """How long a stream may take: ten minutes, and under one from when another snapshot came or waits for its place."""

    def __init__(self, live: LiveSearcher, held: Held):
        self._live, self._held = live, held
        self._first_live = live.state().live
        self._end = asyncio.get_running_loop().time() + STREAM_SECONDS

    async def within(self, work: Awaitable[Result], *, more_seconds: float = 0) -> Result:
        """Returns what some work comes to; raises asyncio.TimeoutError once the stream has taken its time, and more."""
        working = asyncio.ensure_future(work)
        try:
            # How long it may take changes when another snapshot comes meanwhile.
            while not working.done() and (left := self._left_seconds() + more_seconds) > 0:
                await asyncio.wait((working,), timeout=min(left, LOOK_SECONDS))
            if not working.done():
                raise asyncio.TimeoutError
            return working.result()
        finally:
            working.cancel()
            await asyncio.wait((working,))

    def _left_seconds(self) -> float:
        now = asyncio.get_running_loop().time()
        if self._held.has_to_go or self._live.state().live != self._first_live:
            self._end = min(self._end, now + OUTDATED_SECONDS)
        return self._end - now
