"""Answers queries that come as lines of JSON, in their order, while others are still on their way."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serving.http.bodies import Room
from serving.http.fetching import Allowance
from serving.http.looking_up import asked
from serving.http.lookup_bodies import LINES, Asked, read_query
from serving.http.lookup_requests import LookupOptions, parse_query
from serving.http.options import ServeOptions
from serving.http.problems import Problem, details_of, problem_of
from serving.http.snapshot_header import SNAPSHOT_HEADER
from serving.live.held import Held
from serving.match.match import Outcome
from serving.match.options import MatchOptions
from serving.output.json_file import to_json

if TYPE_CHECKING:
    from serving.http.service import Service

# Queries of one stream that are in the engine at a time: as many as a batch takes.
WINDOW = 32
# An old snapshot stays in memory for as long as a stream is answered by it.
STREAM_SECONDS = 600
FULL_SECONDS = 0.05
MOST_LINE_BYTES = 32 * 2**20


class _Line(NamedTuple):
    """One query on its way, and the bytes that its line keeps in memory until it is answered."""

    outcome: "asyncio.Future[Outcome]"
    size_bytes: int


class LinesResponse(Response):
    """The answer to a stream of queries: a line for each of them, sent as soon as there is one."""

    media_type = LINES

    def __init__(self, service: "Service", request: Request, options: LookupOptions):
        """Raises a Problem, 422, for options that are none."""
        super().__init__()
        del self.headers["content-length"]
        self._service, self._request, self._options = service, request, options
        self._matching = options.for_matching()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the lines; raises what holding the snapshot raises before the first of them."""
        # Starlette's own response listens for the end of the request meanwhile, and would take the lines away.
        with self._service.memory.room() as room, self._service.live.hold(self._options.snapshot) as held:
            self.headers[SNAPSHOT_HEADER] = str(held.snapshot.number)
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async with aclosing(self._stream(held, room).answers()) as lines:
                async for line in lines:
                    await send({"type": "http.response.body", "body": line, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    def _stream(self, held: Held, room: Room) -> "Stream":
        return Stream(self._service, self._request, held, room, self._matching)


class Stream:
    """The queries of one request, answered by one snapshot in bounded memory."""

    def __init__(self, service: "Service", request: Request, held: Held, room: Room, options: MatchOptions):
        self._service, self._request, self._held, self._options = service, request, held, options
        self._room = room
        self._lines: asyncio.Queue[_Line | Problem | None] = asyncio.Queue(WINDOW)

    async def answers(self) -> AsyncGenerator[bytes, None]:
        """Yields a line for each query; what ends the request early is the last line, with a problem instead."""
        asking = asyncio.create_task(self._ask_all())
        try:
            while (line := await self._lines.get()) is not None:
                if isinstance(line, Problem):
                    yield self._told(line)
                    return
                try:
                    yield await self._answered(line)
                except Exception as error:
                    yield self._told(problem_of(error))
                    return
        finally:
            asking.cancel()
            while not self._lines.empty():
                if isinstance(line := self._lines.get_nowait(), _Line):
                    self._drop(line)

    async def _answered(self, line: _Line) -> bytes:
        try:
            outcome = await line.outcome
        finally:
            self._drop(line)
        answers = [to_json(one) for one in self._held.answers(outcome, self._options)]
        return _dumped({"id": outcome.query, "answers": answers})

    async def _ask_all(self) -> None:
        """Asks line by line; waits while as many as may be are on their way."""
        try:
            async for line in self._read_lines():
                if line.strip():
                    await self._put(await self._ask(line))
            await self._lines.put(None)
        except Exception as error:
            await self._lines.put(problem_of(error))

    async def _put(self, line: _Line) -> None:
        try:
            await self._lines.put(line)
        except asyncio.CancelledError:
            self._drop(line)
            raise

    async def _ask(self, line: bytes) -> _Line:
        allowance = Allowance(self._service.options.max_body_bytes, self._room)
        one = await asyncio.to_thread(parse_query, line)
        query = await read_query(one, self._service, allowance)
        return _Line(asyncio.ensure_future(self._submitted(query)), len(line))

    async def _submitted(self, query: Asked) -> Outcome:
        # Whoever sends lines is held up, and not sent away in the midst of them.
        return await asyncio.wrap_future(asked(self._held, query, self._options, in_turn=True))

    def _drop(self, line: _Line) -> None:
        line.outcome.cancel()
        self._room.give_back(line.size_bytes)

    def _told(self, problem: Problem) -> bytes:
        state = self._request.state
        state.reason = problem.reason
        return _dumped({"problem": details_of(problem, state.request_id).model_dump()})

    async def _read_lines(self) -> AsyncIterator[bytes]:
        """Yields each line, empty ones too; raises a Problem for one that is too large, or too long in coming."""
        most_bytes, begun = line_bytes(self._service.options), bytearray()
        async for chunk in self._chunks():
            for piece in chunk.splitlines(keepends=True) if b"\n" in chunk else [chunk]:
                begun += piece
                if len(begun) > most_bytes:
                    raise Problem(413, "line_too_large", f"a line has more than {most_bytes:,} bytes; expected fewer")
                if piece.endswith(b"\n"):
                    yield bytes(begun)
                    begun.clear()
        yield bytes(begun)

    async def _chunks(self) -> AsyncIterator[bytes]:
        """Yields the body as it comes; what ends a line must come in the time that a body has."""
        loop, most_seconds = asyncio.get_running_loop(), self._service.options.body_seconds
        end, left_seconds = loop.time() + STREAM_SECONDS, most_seconds
        async with aclosing(self._request.stream()) as stream:
            while True:
                asked_at = loop.time()
                try:
                    # Time that the engine takes does not count: only here the service waits for its client.
                    chunk = await asyncio.wait_for(anext(stream, b""), min(left_seconds, end - asked_at))
                except asyncio.TimeoutError as error:
                    raise Problem(408, "slow_body", "the next line did not come in time; expected it sooner") from error
                except ClientDisconnect as error:
                    raise Problem(400, "cut_off", "the body ended before its end; expected all of it") from error
                if not chunk:
                    return
                await self._make_room(len(chunk))
                left_seconds = most_seconds if b"\n" in chunk else left_seconds - (loop.time() - asked_at)
                yield chunk

    async def _make_room(self, size_bytes: int) -> None:
        """Waits until there is room; raises a Problem if there is none for long, as where all streams wait."""
        for _ in range(round(self._service.options.body_seconds / FULL_SECONDS)):
            if self._room.try_to_take(size_bytes):
                return
            await asyncio.sleep(FULL_SECONDS)
        self._room.take(size_bytes)


def line_bytes(options: ServeOptions) -> int:
    """Returns how many bytes a line may have."""
    return min(options.max_body_bytes, MOST_LINE_BYTES)


def _dumped(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
