"""Asks a server for photos, at a given number of clients or a given rate, and keeps what became of each request."""

import http.client
import itertools
import json
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

BOUNDARY = "firstseen-benchmark"
# A request that takes longer counts as failed.
TIMEOUT_SECONDS = 120
# The server closes connections that are idle for longer; a request on such a one might meet its end.
IDLE_SECONDS = 5
# Threads that ask at a given rate: more requests than that are never on their way at once.
MOST_ON_THEIR_WAY = 192


@dataclass(frozen=True)
class Reply:
    """One request: when it was due and how long after that its answer was there, both in seconds; status 0 for none."""

    due: float
    seconds: float
    status: int
    snapshot: int | None = None
    statuses: tuple[str, ...] = ()
    photo_ids: tuple[str, ...] = ()


@dataclass
class Load:
    """What became of all requests of one load, in the order in which they ended."""

    replies: list[Reply] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def good(self) -> list[Reply]:
        """The requests that were answered."""
        return [one for one in self.replies if one.status == 200]

    @property
    def rate(self) -> float:
        """Answered requests per second."""
        return len(self.good) / self.seconds

    @property
    def by_status(self) -> Counter[int]:
        """How many requests came to each status, 0 for those without any answer."""
        return Counter(one.status for one in self.replies)

    def ms(self, *percents: float) -> list[float]:
        """Returns percentiles of how long answers took, in milliseconds."""
        taken = [one.seconds * 1000 for one in self.good] or [float("nan")]
        return np.percentile(taken, percents).tolist()


class Client:
    """One connection that is kept, as a program that asks again and again has it; a photo a request."""

    def __init__(self, port: int, key: str | None = None):
        self._port = port
        self._key = key
        self._connection: http.client.HTTPConnection | None = None
        self._used_at = 0.0

    def ask(self, photo: bytes, due: float | None = None) -> Reply:
        """Looks a photo up; an answer that does not come is a reply, too."""
        due = time.perf_counter() if due is None else due
        try:
            status, body = self._post(photo)
        except (OSError, http.client.HTTPException):
            self.close()
            return Reply(due, time.perf_counter() - due, 0)
        taken = time.perf_counter() - due
        if status != 200:
            return Reply(due, taken, status)
        told = json.loads(body)
        answers = [answer for result in told["results"] for answer in result["answers"]]
        photo_ids = tuple(answer["photo_id"] or "" for answer in answers)
        return Reply(due, taken, status, told["snapshot"], tuple(answer["status"] for answer in answers), photo_ids)

    def _post(self, photo: bytes) -> tuple[int, bytes]:
        if time.monotonic() - self._used_at > IDLE_SECONDS:
            self.close()
        self._connection = self._connection or http.client.HTTPConnection(
            "127.0.0.1", self._port, timeout=TIMEOUT_SECONDS
        )
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="photo.jpg"\r\n\r\n'
        body = head.encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        self._connection.request("POST", "/v1/lookup", body, headers)
        response = self._connection.getresponse()
        answer = response.read()
        self._used_at = time.monotonic()
        # Whoever is told that no more will be read on this connection begins another one.
        if response.will_close:
            self.close()
        return response.status, answer

    def close(self) -> None:
        """Ends the connection; the next request begins another."""
        if self._connection:
            self._connection.close()
            self._connection = None


def photos_of(folder: Path) -> list[bytes]:
    """Returns the photos of a folder in a random order, the same each time."""
    photos = [path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()]
    random.Random(0).shuffle(photos)  # noqa: S311 (no secret)
    return photos


def ask_by_clients(port: int, photos: Sequence[bytes], *, clients: int, seconds: float) -> Load:
    """So many clients ask one photo after the other for so long; each begins at another photo."""
    load, lock = Load(), threading.Lock()
    end = time.perf_counter() + seconds

    def ask(number: int) -> None:
        client = Client(port)
        for photo in itertools.islice(itertools.cycle(photos), number * len(photos) // clients, None):
            reply = client.ask(photo)
            with lock:
                load.replies.append(reply)
            if time.perf_counter() >= end:
                break
        client.close()

    load.seconds = _in_threads([lambda number=number: ask(number) for number in range(clients)])
    return load


def ask_at_rate(port: int, photos: Sequence[bytes], *, per_second: float, seconds: float) -> Load:
    """Asks at this rate, whatever comes back: how long an answer took counts from when its request was due."""
    load, lock = Load(), threading.Lock()
    due: queue.Queue[tuple[float, bytes] | None] = queue.Queue()

    def ask() -> None:
        client = Client(port)
        while (one := due.get()) is not None:
            at, photo = one
            reply = client.ask(photo, at)
            with lock:
                load.replies.append(reply)
        client.close()

    def plan() -> None:
        started = time.perf_counter()
        for number, photo in zip(range(int(per_second * seconds)), itertools.cycle(photos), strict=False):
            at = started + number / per_second
            time.sleep(max(0.0, at - time.perf_counter()))
            due.put((at, photo))
        for _ in range(MOST_ON_THEIR_WAY):
            due.put(None)

    load.seconds = _in_threads([plan, *[ask] * MOST_ON_THEIR_WAY])
    return load


def _in_threads(functions: Sequence[Callable[[], None]]) -> float:
    """Runs functions beside each other, and returns how long all of them took, in seconds."""
    threads = [threading.Thread(target=one) for one in functions]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started
