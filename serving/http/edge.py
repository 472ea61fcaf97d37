"""Names each request by an id, answers whatever fails, counts and logs: the outermost layer of the app."""

import asyncio
import re
import secrets
import traceback
from contextlib import suppress
from time import perf_counter

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.http.access_log import Log, fields_of, level_of, route_of
from serving.http.error_answers import answer_of
from serving.http.guard import OPEN_PATHS
from serving.http.metrics import Metrics
from serving.http.problems import note

REQUEST_ID = "X-Request-ID"
# What is taken over from a client stands in logs and in headers.
_SANE = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
# Larger pieces of an answer would be in the hands of the server, which waits for a slow reader for ever.
PIECE_BYTES = 65_536
# An answer, or a line of one, has to be sent within this time as a whole: it may hold what is withdrawn meanwhile.
SEND_SECONDS = 20
# Whoever sends for longer than this, or more, after the request was refused may not see the answer.
DRAIN_SECONDS = 1.0
DRAIN_BYTES = 64 * 2**20
# nginx's number for a client that left before it was answered.
LEFT = 499
# Nothing that the service answers is for a page of another site, or for a cache; a page of ours says so of itself.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


class Edge:
    """An ASGI app around another: every answer has an id, and an error that nobody foresaw is a problem, too."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, log: Log):
        self._app, self._metrics, self._log = app, metrics, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        scope.setdefault("state", {})["request_id"] = request_id = request_id_of(scope)
        started, sent, body = perf_counter(), _Sent(send, request_id), _Body(receive)
        try:
            await self._answer(scope, body, sent)
        finally:
            seconds = perf_counter() - started
            if failure := scope["state"].pop("failure", None):
                self._tell_failure(scope, failure)
            status = sent.status or LEFT
            self._metrics.answered(route_of(scope), status, seconds, scope["state"].get("reason"))
            # A cluster probes every few seconds, and nobody wants to read that all is well.
            if scope["path"] not in OPEN_PATHS or status != 200:
                self._log("request", level_of(status), fields_of(scope, status=status, seconds=seconds))
        if sent.status >= 400:
            await body.drain()

    async def _answer(self, scope: Scope, receive: Receive, sent: "_Sent") -> None:
        try:
            await self._app(scope, receive, sent)
        except ClientDisconnect:
            scope["state"]["reason"] = "left"
            if sent.status:  # an end in the midst of the answer closes the connection
                raise
        except Exception as error:
            problem = note(error, Request(scope))
            if sent.status:  # nothing but an end in the midst of the answer tells the client
                raise
            await answer_of(problem, scope)(scope, receive, sent)

    def _tell_failure(self, scope: Scope, error: Exception) -> None:
        told = "".join(traceback.format_exception(error))
        self._log("failed", "error", {"request_id": scope["state"]["request_id"], "traceback": told})


class _Body:
    """Hands the body of a request on, and knows whether all of it came."""

    def __init__(self, receive: Receive):
        self._receive = receive
        self._has_more = True

    async def __call__(self) -> Message:
        message = await self._receive()
        self._has_more = message["type"] == "http.request" and message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Reads for a moment what a refused request still brings, lest its sender meet a closed connection first."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._rest(), DRAIN_SECONDS)

    async def _rest(self) -> None:
        left_bytes = DRAIN_BYTES
        while self._has_more and left_bytes > 0:
            left_bytes -= len((await self()).get("body", b""))


class _Sent:
    """Sends an answer with its headers, and ends one that nobody reads."""

    def __init__(self, send: Send, request_id: str):
        self._send, self._request_id = send, request_id
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID] = self._request_id
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            return await self._send(message)
        if not message.get("more_body") and len(message.get("body", b"")) <= PIECE_BYTES:
            return await self._send(message)
        try:
            await asyncio.wait_for(self._send_pieces(message), SEND_SECONDS)
        except asyncio.TimeoutError as error:
            raise ClientDisconnect from error
        return None

    async def _send_pieces(self, message: Message) -> None:
        body, is_more = message.get("body", b""), message.get("more_body", False)
        for start in range(0, len(body) or 1, PIECE_BYTES):
            is_last = start + PIECE_BYTES >= len(body)
            piece = {**message, "body": body[start : start + PIECE_BYTES], "more_body": is_more or not is_last}
            await self._send(piece)


def request_id_of(scope: Scope) -> str:
    """Returns the id that a client gave its request, if it may stand in a log, or a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SANE.fullmatch(text := value.decode("latin-1")):
            return text
    return secrets.token_hex(8)
