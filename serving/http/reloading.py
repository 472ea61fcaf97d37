"""Looks for newer snapshots when somebody asks for it: once for all who ask meanwhile."""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor

from serving.live.live_searcher import LiveSearcher
from serving.live.state import Reloaded


class Reloading:
    """A thread that looks; a look takes minutes where the newer snapshot is large."""

    def __init__(self, live: LiveSearcher):
        self._live = live
        self._pool = ThreadPoolExecutor(1, "reload")
        self._next: Future[Reloaded] | None = None

    async def look(self) -> Reloaded:
        """Returns what a look came to that begins from now on; it goes on if nobody waits for it any more."""
        # One that has begun may have missed what was published a moment ago.
        if self._next is None or self._next.running() or self._next.done():
            self._next = self._pool.submit(self._live.reload)
        return await asyncio.shield(asyncio.wrap_future(self._next))
