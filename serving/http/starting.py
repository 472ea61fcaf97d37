"""Answers for an app until it is there: the process lives, and is not ready."""

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.http.edge import REQUEST_ID, request_id_of
from serving.http.problems import busy, response_of

RETRY_SECONDS = 2


class Doorway:
    """An ASGI app that hands everything to `app` once that is set, and counts what it is answering: `under_way`."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if not self.app:
            return await self._put_off(scope, receive, send)
        self.under_way += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.under_way -= 1

    async def _put_off(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = request_id_of(scope)
        if scope["path"] == "/livez":
            response = JSONResponse({"status": "alive"})
        else:
            detail = "the store is being opened and checked; expected to be asked later: ask again in a moment"
            problem = busy("starting", detail, retry_after_seconds=RETRY_SECONDS)
            response = response_of(problem, request_id)
        response.headers[REQUEST_ID] = request_id
        await response(scope, receive, send)
