"""Reads the store for requests in few threads; no more wait for them than are answered soon."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Any, TypeVar

from serving.http.problems import busy

Result = TypeVar("Result")

# Whoever looks through tables of photos by their names takes a core for a second per million of them.
READ_THREADS = 2
MOST_READINGS = 32


class Readers:
    """Threads that read the store, with a bound on what they have to do."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(READ_THREADS, "read")
        self._places = BoundedSemaphore(MOST_READINGS)

    async def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Returns what a function returns; raises a Problem, 503, if too many wait already.

        If nobody waits for it any more, a function that has not begun is dropped.
        """
        if not self._places.acquire(blocking=False):
            detail = f"{MOST_READINGS} requests wait for the store; expected fewer at once: ask again in a moment"
            raise busy("busy", detail, retry_after_seconds=1)
        reading = self._pool.submit(function, *arguments)
        # The place is taken for as long as the thread is, also if the request ends before.
        reading.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(reading)
