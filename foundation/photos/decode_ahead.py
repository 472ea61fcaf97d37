"""Decodes photos in threads ahead of whoever uses them, in order and in bounded memory."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import cv2

Item = TypeVar("Item")
Decoded = TypeVar("Decoded")


def start_decoders() -> ThreadPoolExecutor:
    """Starts the threads that decode photos and extract features, one per core; OpenCV starts none beside them."""
    # Decoders and OpenCV release the GIL, so that a photo per thread uses every core. OpenCV's own threads would split
    # each photo once more, and wait for one another: with them, two cores took 1.6 times as long for the features. The
    # number counts for the whole process.
    cv2.setNumThreads(1)
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="decode")


def decode_ahead(
    items: Iterable[Item], decode: Callable[[Item], Decoded], *, pool: ThreadPoolExecutor, ahead: int
) -> Iterator[Decoded]:
    """Yields `decode(item)` for each item, in order, while at most `ahead` items are in the hands of the pool.

    The decoders release the GIL, so that the next photos are decoded while the caller runs its model on these. What
    `decode` raises is raised where its result would stand. Whoever stops early leaves nothing running: what has not
    begun is cancelled.
    """
    window: deque[Future[Decoded]] = deque()
    try:
        for item in items:
            window.append(pool.submit(decode, item))
            if len(window) >= ahead:
                yield window.popleft().result()
        while window:
            yield window.popleft().result()
    finally:
        for waiting in window:
            waiting.cancel()
