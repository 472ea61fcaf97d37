"""Reads lines out of the body of a request as they come: each in bounded memory and time."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request

from serving.http.bodies import Room, next_chunk
from serving.http.options import ServeOptions
from serving.http.problems import Problem

FULL_SECONDS = 0.05
MOST_LINE_BYTES = 32 * 2**20


class LineReader:
    """The lines of one request; what they take of the room is given back by whoever is done with them."""

    def __init__(self, request: Request, options: ServeOptions, room: Room):
        self._request, self._options, self._room = request, options, room
        self._line_ends_at = 0.0

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """Yields each line that is not empty; raises a Problem for one that is too large, or too long in coming."""
        most_bytes, begun = line_bytes(self._options), bytearray()
        self._begin_line()
        async for chunk in self._chunks():
            for piece in chunk.splitlines(keepends=True) if b"\n" in chunk else [chunk]:
                begun += piece
                if len(begun) > most_bytes:
                    raise Problem(413, "line_too_large", f"a line has more than {most_bytes:,} bytes; expected fewer")
                if piece.endswith(b"\n"):
                    if begun.strip():
                        yield bytes(begun)
                        # What the engine takes for the line before does not count, nor do empty lines.
                        self._begin_line()
                    else:
                        self._room.give_back(len(begun))
                    begun.clear()
        if begun.strip():
            yield bytes(begun)

    def _begin_line(self) -> None:
        self._line_ends_at = asyncio.get_running_loop().time() + self._options.body_seconds

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        """Yields the body as it comes, until a line takes longer than a body may."""
        loop, slow = asyncio.get_running_loop(), "the next line did not come in time; expected it sooner"
        async with aclosing(self._request.stream()) as stream:
            while chunk := await next_chunk(stream, self._line_ends_at - loop.time(), slow=slow):
                waited_from = loop.time()
                await self._make_room(len(chunk))
                self._line_ends_at += loop.time() - waited_from
                yield chunk

    async def _make_room(self, size_bytes: int) -> None:
        """Waits until there is room; raises a Problem if there is none for long, as where all streams wait."""
        for _ in range(round(self._options.body_seconds / FULL_SECONDS)):
            if self._room.try_to_take(size_bytes):
                return
            await asyncio.sleep(FULL_SECONDS)
        self._room.take(size_bytes)


def line_bytes(options: ServeOptions) -> int:
    """Returns how many bytes a line may have."""
    return min(options.max_body_bytes, MOST_LINE_BYTES)
