"""Tells errors as problem details (RFC 9457): what was received, what was expected, and the remedy."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from foundation.errors import ArtifactRefusedError, InputNotFoundError, TemporaryError, UsageError
from serving.live.errors import Busy, Closed, DeadlineExceeded, NotNowError, SnapshotNotLoaded

_NOT_NOW: dict[type[Exception], str] = {
    Busy: "busy",
    Closed: "ending",
    DeadlineExceeded: "deadline",
    SnapshotNotLoaded: "snapshot_not_loaded",
}
MEDIA_TYPE = "application/problem+json"
# What a client sent may be as large as a body, and is not told.
_SHORT: dict[str, Any] = {"include_input": False, "include_url": False, "include_context": False}


class ProblemDetails(BaseModel):
    """An error, as RFC 9457 has it, with two members of ours: `reason`, one word, and `request_id`."""

    type: str = Field("about:blank", description="`about:blank`: the status says what kind of problem it is.")
    title: str = Field(description="The name of the status.")
    status: int
    detail: str = Field(description="What was received, what was expected, and what to do.")
    reason: str = Field(description="One word that programs can tell problems of a status apart by.")
    request_id: str | None = Field(None, description="As in the header `X-Request-ID`, and in the log.")


class Problem(Exception):  # noqa: N818 (the name of RFC 9457)
    """An error that is answered with a status of its own; `reason` is the word under which it is counted."""

    # Whether the log says more than the client is told: paths, and what failed inside.
    is_hidden = False

    def __init__(self, status: int, reason: str, detail: str, *, headers: Iterable[tuple[str, str]] = ()):
        super().__init__(detail)
        self.status, self.reason, self.detail, self.headers = status, reason, detail, tuple(headers)


def busy(reason: str, detail: str, *, retry_after_seconds: float) -> Problem:
    """Returns the problem of a service that cannot answer now, and says when to ask again."""
    return Problem(503, reason, detail, headers=[retry_after(retry_after_seconds)])


def retry_after(seconds: float) -> tuple[str, str]:
    """Returns the header that says when asking again is worth it, in whole seconds."""
    return "Retry-After", str(max(1, math.ceil(seconds)))


def problem_of(error: Exception) -> Problem:
    """Returns the problem that an error is answered with; what nobody foresaw is a 500 that tells nothing of itself."""
    match error:
        case Problem():
            return error
        case HTTPException():
            headers = (error.headers or {}).items()
            return Problem(error.status_code, _word(error.status_code), str(error.detail), headers=headers)
        case RequestValidationError():
            return Problem(422, "invalid", _first_error(error))
        case TemporaryError():
            seconds = error.retry_after_seconds if isinstance(error, NotNowError) else 5.0
            return busy(_NOT_NOW.get(type(error), "temporary"), str(error), retry_after_seconds=seconds)
        case InputNotFoundError():
            return Problem(404, "not_found", str(error))
        case UsageError():
            return Problem(422, "invalid", str(error))
        case ArtifactRefusedError():
            hidden = busy("refused", "a file of the store is damaged; expected a sound one", retry_after_seconds=15)
        case _:
            hidden = Problem(500, "unexpected", "the service failed; its log says why under this request id")
    hidden.is_hidden = True
    return hidden


def note(error: Exception, request: Request) -> Problem:
    """Returns the problem of an error, and lets the log of the request say what the client is not told."""
    problem = problem_of(error)
    request.state.reason = problem.reason
    if problem.is_hidden and not hasattr(request.state, "failure"):
        request.state.failure = error
    return problem


@contextmanager
def as_invalid() -> Iterator[None]:
    """Turns what a model refuses of a request into a Problem, 422; elsewhere such an error is one of the service."""
    try:
        yield
    except ValidationError as error:
        raise Problem(422, "invalid", _first_error(error)) from error


def details_of(problem: Problem, request_id: str | None) -> ProblemDetails:
    """Returns what is told of a request that failed."""
    return ProblemDetails(
        type="about:blank",
        title=HTTPStatus(problem.status).phrase,
        status=problem.status,
        detail=problem.detail,
        reason=problem.reason,
        request_id=request_id,
    )


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Returns what the OpenAPI document says of these statuses of a route."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
        }
        for status in statuses
    }


def _word(status: int) -> str:
    return HTTPStatus(status).phrase.lower().replace(" ", "_").replace("'", "")


def _first_error(error: RequestValidationError | ValidationError) -> str:
    """Returns the first of its errors in one line, without the value, which may be a photo."""
    found = error.errors() if isinstance(error, RequestValidationError) else error.errors(**_SHORT)
    first = found[0]
    place = ".".join(map(str, first["loc"])) or "the body"
    return f"{place}: {first['msg']}"
