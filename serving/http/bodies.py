"""Reads the bodies of requests into memory: bounded in bytes and time, and never written to a disk."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from threading import Lock
from typing import NamedTuple

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from serving.http.options import ServeOptions
from serving.http.problems import Problem, busy

MOST_FIELDS = 32


class BodyMemory:
    """Counts the bytes of all bodies that are in memory at a time; threads may share it."""

    def __init__(self, most_bytes: int):
        self._free_bytes = most_bytes
        self._counting = Lock()

    @contextmanager
    def room(self) -> Iterator["Room"]:
        """Yields the room of one request, which is free again after it."""
        room = Room(self)
        try:
            yield room
        finally:
            room.close()

    def take(self, size_bytes: int) -> bool:
        """Takes so many bytes if there are as many, or gives them back if negative; returns whether it did."""
        with self._counting:
            if size_bytes > self._free_bytes:
                return False
            self._free_bytes -= size_bytes
            return True


class Room:
    """What one request keeps in memory: bytes are counted when they come, so that a promise of many takes no room."""

    def __init__(self, memory: BodyMemory):
        self._memory = memory
        self._is_closed = False
        self._counting = Lock()
        self.taken_bytes = 0

    def take(self, size_bytes: int) -> None:
        """Counts bytes that came; raises a Problem, 503, if there is no room for them."""
        if not self.try_to_take(size_bytes):
            detail = "the service holds as many uploads as it may; expected fewer at once: ask again in a moment"
            raise busy("uploads", detail, retry_after_seconds=1)

    def try_to_take(self, size_bytes: int) -> bool:
        """Counts bytes if there is room for them, and returns whether there is."""
        with self._counting:
            # A thread that fetches a photo may go on after its request has ended, and nobody would give its bytes back.
            is_taken = not self._is_closed and self._memory.take(size_bytes)
            self.taken_bytes += size_bytes * is_taken
            return is_taken

    def give_back(self, size_bytes: int) -> None:
        """Frees the room of bytes that are no longer in memory."""
        with self._counting:
            self._memory.take(-size_bytes)
            self.taken_bytes -= size_bytes

    def close(self) -> None:
        """Frees all that is taken, and takes nothing any more."""
        self.give_back(self.taken_bytes)
        self._is_closed = True


class Upload(NamedTuple):
    """One file of a form: the field's name, the file's name as it was given, and its bytes."""

    field: str
    name: str
    data: bytes


class Form(NamedTuple):
    """What a form brings: its fields, of which the last of a name counts, and its files in their order."""

    fields: dict[str, str]
    files: list[Upload]


class _MemoryParser(MultiPartParser):
    # Starlette writes larger files to a temporary directory: query photos are not stored.
    spool_max_size = 2**31 - 1
    is_whole = False

    def on_part_begin(self) -> None:
        super().on_part_begin()
        # A client may name any charset that Python knows, some of which raise, or give text that is no Unicode.
        self._charset = "utf-8"

    def on_end(self) -> None:
        self.is_whole = True

    def close(self) -> None:
        # A file that was cut off is not among the parts.
        for file in self._files_to_close_on_error:
            file.close()


def body_bytes(request: Request, options: ServeOptions) -> int:
    """Returns how many bytes a body may have: those that it declares, or as many as are allowed.

    Raises a Problem, 413, if it declares more.
    """
    declared = request.headers.get("content-length")
    if declared is None:
        return options.max_body_bytes
    if int(declared) > options.max_body_bytes:
        raise _too_large(options)
    return int(declared)


async def read_chunks(request: Request, options: ServeOptions, room: Room) -> AsyncGenerator[bytes, None]:
    """Yields the body as it comes; raises a Problem for one that is too large (413) or slow (408), and without room."""
    left = body_bytes(request, options)
    end = asyncio.get_running_loop().time() + options.body_seconds
    slow = f"the body was not there after {options.body_seconds:g} s; expected a faster upload: send less at once"
    async with aclosing(request.stream()) as stream:
        while chunk := await next_chunk(stream, end - asyncio.get_running_loop().time(), slow=slow):
            left -= len(chunk)
            if left < 0:
                raise _too_large(options)
            room.take(len(chunk))
            yield chunk


async def next_chunk(stream: AsyncGenerator[bytes, None], seconds: float, *, slow: str) -> bytes:
    """Returns what comes next of a body, nothing at its end; raises a Problem if it is slow (408) or cut off (400)."""
    try:
        return await asyncio.wait_for(anext(stream, b""), seconds)
    except asyncio.TimeoutError as error:
        raise Problem(408, "slow_body", slow, headers=[("Connection", "close")]) from error
    except ClientDisconnect as error:
        raise Problem(400, "cut_off", "the body ended before its end; expected all of it") from error


async def read_body(request: Request, options: ServeOptions, room: Room) -> bytes:
    """Returns the whole body; raises like `read_chunks`."""
    async with aclosing(read_chunks(request, options, room)) as chunks:
        body = bytearray()
        async for chunk in chunks:
            body += chunk
    # Who parses a bytearray copies it, and keeps both until the end.
    return bytes(body)


async def read_form(request: Request, options: ServeOptions, room: Room) -> Form:
    """Returns what a multipart body brings; raises like `read_chunks`, and a Problem, 400, for a broken one."""
    async with aclosing(read_chunks(request, options, room)) as chunks:
        parser = _MemoryParser(request.headers, chunks, max_files=options.max_images, max_fields=MOST_FIELDS)
        try:
            parsed = await parser.parse()
        except MultiPartException as error:
            if error.message.startswith("Too many files"):  # a client sends the rest in another request then
                raise too_many_images(f"more than {options.max_images}", options) from error
            raise Problem(400, "multipart", f"the multipart body is broken: {error.message}") from error
        except (UnicodeError, LookupError) as error:
            raise Problem(400, "multipart", "a name in the multipart body is no text; expected UTF-8") from error
    try:
        if not parser.is_whole:
            raise Problem(400, "multipart", "the multipart body ends before its last boundary; expected all of it")
        parts = parsed.multi_items()
        fields = {name: value for name, value in parts if isinstance(value, str)}
        files = [
            Upload(name, one.filename or "", await one.read()) for name, one in parts if isinstance(one, UploadFile)
        ]
        return Form(fields, files)
    finally:
        parser.close()


def too_many_images(received: str, options: ServeOptions) -> Problem:
    """Returns the problem of a request with more queries than one may bring."""
    return Problem(
        413,
        "too_many_images",
        f"the request brings {received} queries; expected at most {options.max_images}: ask in several requests, or "
        "send application/x-ndjson",
    )


def _too_large(options: ServeOptions) -> Problem:
    return Problem(
        413,
        "body_too_large",
        f"the body has more than {options.max_body_bytes:,} bytes; expected at most as many: send fewer photos at once",
        headers=[("Connection", "close")],
    )
