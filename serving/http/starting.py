"""Answers for an app until it is there: the process lives, and is not ready."""

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.http.edge import HEADERS, REQUEST_ID, request_id_of
from serving.http.error_answers import answer_of
from serving.http.guard import STYLE
from serving.http.problems import busy
from serving.output.view import asset

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
        scope.setdefault("state", {})["request_id"] = request_id = request_id_of(scope)
        response = _early_answer(scope)
        for name, value in {REQUEST_ID: request_id, **HEADERS}.items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)


def _early_answer(scope: Scope) -> Response:
    if scope["path"] == "/livez":
        return JSONResponse({"status": "alive"})
    if scope["path"] == STYLE:
        return Response(asset("style.css"), media_type="text/css")
    detail = "the store is being opened and checked; expected to be asked later: ask again in a moment"
    return answer_of(busy("starting", detail, retry_after_seconds=RETRY_SECONDS), scope)
