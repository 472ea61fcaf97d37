"""Answers with pages: rendered templates, the headers that keep strangers' text harmless, and errors as pages."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from foundation.errors import FirstseenError
from serving.http.problems import Problem, note
from serving.output.display import printable
from serving.output.view import templates

# Captions are strangers' text: even if one got past the escaping, no browser would run it, or send anything anywhere.
# The attribute `style` holds numbers of ours; pictures of photos that were just chosen are blobs.
POLICY = (
    "default-src 'none'; img-src 'self' data: blob:; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Links of lookups are secrets, and stay here; without any origin our own form would look like a stranger's.
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
# What somebody can do who met the error in a browser; the others are told by their details.
_REMEDIES = {
    413: "Choose fewer or smaller photos.",
    429: "Wait a moment, then go back and try again.",
    503: "Wait a moment, then go back and try again.",
}

Handler = Callable[..., Awaitable[Response]]


def page(template: str, values: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """Returns a rendered template."""
    return HTMLResponse(templates().get_template(template).render(values), status, headers=HEADERS)


def wants_json(request: Request) -> bool:
    """Returns whether a program asks: the page's own script does."""
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def with_error_pages(handler: Handler) -> Handler:
    """Returns the handler of a page: what it raises is answered as a page, to programs as a problem."""

    @wraps(handler)
    async def answer(request: Request, *arguments: Any, **options: Any) -> Response:
        try:
            return await handler(request, *arguments, **options)
        except (Problem, FirstseenError) as error:
            problem = note(error, request)
            if wants_json(request) or (problem.status >= 500 and problem.status != 503):
                raise
            return _error_page(problem)

    return answer


def _error_page(problem: Problem) -> HTMLResponse:
    response = page(
        "problem.html",
        {
            "title": HTTPStatus(problem.status).phrase,
            "detail": printable(problem.detail),
            "remedy": _REMEDIES.get(problem.status, ""),
            "is_expired": problem.reason == "expired",
        },
        problem.status,
    )
    response.headers.update(dict(problem.headers))
    return response
