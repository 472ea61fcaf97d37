"""Names each request by an id, and answers whatever fails: the outermost layer of the app."""

import logging
import re
import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.http.problems import problem_of, response_of

REQUEST_ID = "X-Request-ID"
# What is taken over from a client stands in logs and in headers.
_SANE = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")

log = logging.getLogger(__name__)


class Edge:
    """An ASGI app around another: every answer has an id, and an error that nobody foresaw is a problem, too."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        has_begun = False

        async def send_named(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_named)
        except Exception as error:
            problem = problem_of(error)
            if problem.status == 500:
                log.error("request %s failed", request_id, exc_info=error)
            if has_begun:  # nothing but an end in the midst of the answer tells the client
                raise
            await response_of(problem, request_id)(scope, receive, send_named)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SANE.fullmatch(text := value.decode("latin-1")):
            return text
    return secrets.token_hex(8)
