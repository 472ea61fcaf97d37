"""Answers what went wrong: who looks at it in a browser with a page, programs with problem details."""

from http import HTTPStatus
from typing import NamedTuple

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from foundation.errors import FirstseenError
from serving.http.html import page
from serving.http.near_misses import misdirected
from serving.http.problems import MEDIA_TYPE, Problem, details_of, note
from serving.output.display import printable

JSON_TYPES = ("application/json", MEDIA_TYPE)


class _Told(NamedTuple):
    """What a person is told of an error beside its detail, which is for programs, too: a heading, and what to do."""

    heading: str
    remedy: str


_LATER = "Wait a moment, then go back and try again."
_BY_STATUS = {
    401: _Told("A key is needed", "Reload the page, and give your key as the password; any user name will do."),
    403: _Told("This is not for you", "Ask whoever runs the service for a key that may, or for its right address."),
    404: _Told("There is nothing here", "See that the address is spelt as you were given it."),
    405: _Told("This address is for programs", "Photos are looked up by the form."),
    413: _Told("That was too much at once", "Choose fewer or smaller photos."),
    422: _Told("That cannot be looked up", "Go back, and mend what is named above."),
    429: _Told("Too many questions in a minute", _LATER),
    500: _Told("Something failed here", "Tell whoever runs the service, with the number of the request."),
    503: _Told("There is no answer just now", _LATER),
}
_BY_REASON = {
    "starting": _Told("The service is starting", "Reload this page in a moment."),
    "ending": _Told("The service is ending", "Reload this page in a moment: it may be started anew."),
}


def answer_of(problem: Problem, scope: Scope) -> Response:
    """Returns the answer to a request that failed; its id is in the scope."""
    request_id = scope["state"].get("request_id")
    is_page = prefers_page(Headers(scope=scope).get("accept", ""))
    response = _page(problem, request_id) if is_page else _details(problem, request_id)
    for name, value in problem.headers:
        response.headers.append(name, value)
    return response


def prefers_page(accept: str) -> bool:
    """Returns whether who accepts this reads pages rather than JSON, as browsers do and programs do not."""
    weights = dict(map(_weighed, accept.lower().split(",")))
    return weights.get("text/html", 0.0) > max(weights.get(one, 0.0) for one in JSON_TYPES)


def _weighed(accepted: str) -> tuple[str, float]:
    """Returns a type of an Accept header, and its weight from 0 to 1."""
    kind, *parameters = (part.strip() for part in accepted.split(";"))
    weights = [part.removeprefix("q=") for part in parameters if part.startswith("q=")]
    try:
        return kind, float(weights[0]) if weights else 1.0
    except ValueError:
        return kind, 0.0


def add_handlers(app: FastAPI) -> None:
    """Answers what a route of the app raises, and what asks for none."""

    def answer(request: Request, error: Exception) -> Response:
        found = misdirected(error, request) if isinstance(error, HTTPException) else error
        return answer_of(note(found, request), request.scope)

    for kind in (Problem, HTTPException, RequestValidationError, FirstseenError):
        app.add_exception_handler(kind, answer)


def _details(problem: Problem, request_id: str | None) -> JSONResponse:
    return JSONResponse(details_of(problem, request_id).model_dump(), problem.status, media_type=MEDIA_TYPE)


def _page(problem: Problem, request_id: str | None) -> Response:
    status = HTTPStatus(problem.status)
    told = _BY_REASON.get(problem.reason) or _BY_STATUS.get(status, _Told(status.phrase, "Go back and try again."))
    values = {
        "title": told.heading,
        "detail": printable(problem.detail),
        "remedy": told.remedy,
        "is_expired": problem.reason == "expired",
        "request_id": request_id,
    }
    return page("problem.html", values, problem.status)
