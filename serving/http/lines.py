"""Answers queries that come as lines of JSON, in their order, while others are still on their way."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serving.http.bodies import Room
from serving.http.fetching import Allowance
from serving.http.holding import hold
from serving.http.line_reading import LineReader
from serving.http.looking_up import asked
from serving.http.lookup_bodies import LINES, Asked, read_query
from serving.http.lookup_requests import LookupOptions, parse_query
from serving.http.problems import Problem, details_of, note
from serving.http.rates import rate_of
from serving.http.snapshot_header import SNAPSHOT_HEADER
from serving.http.stream_time import StreamTime
from serving.live.held import Held
from serving.match.match import Outcome
from serving.match.options import MatchOptions
from serving.output.json_file import to_json

if TYPE_CHECKING:
    from serving.http.service import Service

# Queries of one stream that are in the engine at a time: as many as a batch takes.
WINDOW = 32
# The problem that ends a stream needs a moment, too.
LAST_SECONDS = 5


class _Line(NamedTuple):
    """One query on its way: its id, if it could be read, and the bytes that it keeps in memory until it is answered.

    It was asked when the lists of what is retracted and ignored had so many entries.
    """

    name: str | None
    query: Asked | None
    outcome: "asyncio.Future[Outcome]"
    size_bytes: int
    entries: int


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
        with self._service.memory.room() as room, hold(self._service.live, self._options.snapshot) as held:
            self.headers[SNAPSHOT_HEADER] = str(held.snapshot.number)
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            stream = Stream(self._service, self._request, held, room, self._matching)
            async with aclosing(stream.answers()) as lines:
                async for line in lines:
                    # A client that reads slowly keeps the snapshot no longer than one that sends slowly.
                    sending = send({"type": "http.response.body", "body": line, "more_body": True})
                    try:
                        await stream.time.within(sending, more_seconds=LAST_SECONDS)
                    except asyncio.TimeoutError as error:
                        raise ClientDisconnect from error
            await send({"type": "http.response.body", "body": b""})


class Stream:
    """The queries of one request, answered by one snapshot in bounded memory and time."""

    def __init__(self, service: "Service", request: Request, held: Held, room: Room, options: MatchOptions):
        self._service, self._request, self._held, self._options = service, request, held, options
        self._room = room
        self._lines: asyncio.Queue[_Line | Problem | None] = asyncio.Queue(WINDOW)
        self._on_their_way = 0
        self._dropped = asyncio.Event()
        self.time = StreamTime(service.live, held)

    async def answers(self) -> AsyncGenerator[bytes, None]:
        """Yields a line for each query; what ends the request early is the last line, with a problem instead."""
        asking = asyncio.create_task(self._ask_all())
        try:
            while (line := await self.time.within(self._lines.get())) is not None:
                if isinstance(line, Problem):
                    yield self._told(line)
                    return
                yield await self.time.within(self._answered(line))
        except asyncio.TimeoutError:
            detail = "the stream took too long, or a newer snapshot came; expected fewer lines: send the rest anew"
            yield self._told(Problem(408, "slow_stream", detail))
        finally:
            asking.cancel()
            # Whatever it was about to put into the queue is in it, or dropped, before the queue is emptied.
            await asyncio.wait((asking,))
            while not self._lines.empty():
                if isinstance(line := self._lines.get_nowait(), _Line):
                    self._drop(line)

    async def _answered(self, line: _Line) -> bytes:
        """Returns the answer to one query; one that fails has a problem, and the others are answered all the same."""
        try:
            outcome, entries = await line.outcome, line.entries
            # It may have waited long for its place, or for a slow reader of the line before it.
            while line.query and outcome.matches and entries != (now := self._held.lists_entries()):
                outcome, entries = await self._submitted(line.query), now
            answers = [to_json(one) for one in self._held.answers(outcome, self._options)]
            return _dumped({"id": outcome.query, "answers": answers})
        except Exception as error:
            return self._told(note(error, self._request), id=line.name)
        finally:
            self._drop(line)

    async def _ask_all(self) -> None:
        """Asks line by line; waits while as many as may be are on their way."""
        try:
            rate = rate_of(self._request)
            reader = LineReader(self._request, self._service.options, self._room)
            async with aclosing(reader.lines()) as lines:
                is_first = True
                async for line in lines:
                    # The first is the request itself; whoever sends more than the key allows is held up.
                    while rate and not is_first and (seconds := rate.take()):
                        await asyncio.sleep(seconds)
                    is_first = False
                    await self._put(await self._ask(line))
            await self._lines.put(None)
        except Exception as error:
            await self._lines.put(note(error, self._request))

    async def _put(self, line: _Line) -> None:
        self._on_their_way += 1
        try:
            await self._lines.put(line)
        except asyncio.CancelledError:
            self._drop(line)
            raise

    async def _ask(self, line: bytes) -> _Line:
        name: str | None = None
        query: Asked | None = None
        entries = 0
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        most_bytes = self._service.options.max_body_bytes
        # Photos that are fetched take room, too: all lines on their way together have what a request has.
        while self._on_their_way and self._room.taken_bytes > most_bytes:
            self._dropped.clear()
            await self._dropped.wait()
        allowance = Allowance(most_bytes, self._room)
        try:
            one = await asyncio.to_thread(parse_query, line)
            name, entries = one.id, self._held.lists_entries()
            query = await read_query(one, self._service, allowance)
            if isinstance(query, Outcome):
                self._service.metrics.outcome(query)
            outcome = asyncio.ensure_future(self._submitted(query))
        except Exception as error:
            outcome.set_exception(error)
        return _Line(name, query, outcome, len(line) + allowance.taken_bytes, entries)

    async def _submitted(self, query: Asked) -> Outcome:
        # Whoever sends lines is held up, and not sent away in the midst of them.
        return await asyncio.wrap_future(asked(self._held, query, self._options, in_turn=True))

    def _drop(self, line: _Line) -> None:
        line.outcome.cancel()
        if line.outcome.done() and not line.outcome.cancelled():
            line.outcome.exception()  # asyncio would complain of an error that nobody asked for
        self._room.give_back(line.size_bytes)
        self._on_their_way -= 1
        self._dropped.set()

    def _told(self, problem: Problem, **names: str | None) -> bytes:
        state = self._request.state
        state.reason = problem.reason
        return _dumped({**names, "problem": details_of(problem, state.request_id).model_dump()})


def _dumped(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
