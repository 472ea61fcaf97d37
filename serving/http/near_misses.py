"""Says which address of the service somebody may have meant who asked for one that is not there."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request

from serving.http.documents import describe
from serving.http.problems import Problem

# What other services call these.
ALSO_CALLED = {
    "/health": "/livez",
    "/healthz": "/livez",
    "/ping": "/livez",
    "/ready": "/readyz",
    "/docs": "/openapi.json",
    "/redoc": "/openapi.json",
}
# The pages that somebody may type; those of lookups have ids that nobody knows by heart.
PAGES = ("/", "/status")
# Addresses that are less alike than this have nothing to do with each other.
LEAST_LIKENESS = 0.7
# Two texts are compared in the product of their lengths, and an address may have 64 KB.
MOST_COMPARED = 200


def misdirected(error: HTTPException, request: Request) -> Exception:
    """Returns what is told of a request to no address, or by no method, of the app; any other error as it is.

    Who asks for it has a key already: addresses are no secret then, and which role one needs is not told.
    """
    asked = f"{request.method} {request.url.path[:MOST_COMPARED]}"
    headers = error.headers or {}
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"{asked!r} is not answered; expected another method: {headers['Allow']}"
        return Problem(405, "method_not_allowed", detail, headers=headers.items())
    if error.status_code == HTTPStatus.NOT_FOUND:
        documented = describe(request.app)["paths"]
        addresses = dict.fromkeys(PAGES, "GET") | {path: next(iter(one)).upper() for path, one in documented.items()}
        nearest = nearest_address(request.url.path, addresses)
        expected = f"{addresses[nearest]} {nearest}" if nearest else "an address that GET /openapi.json lists"
        return Problem(404, "not_found", f"there is nothing at {asked!r}; expected {expected}")
    return error


def nearest_address(path: str, addresses: Iterable[str]) -> str | None:
    """Returns the address that is most like a path, None if none is like it."""
    path = path[:MOST_COMPARED].lower().rstrip("/")
    path = ALSO_CALLED.get(path, path)
    likeness, nearest = max((_likeness(path, one), one) for one in addresses)
    return nearest if likeness >= LEAST_LIKENESS else None


def _likeness(path: str, address: str) -> float:
    """Returns how like they are, 0 to 1; whatever stands in the place of a name, as {photo_id}, is that name."""
    asked, named = path.split("/"), address.split("/")
    while len(named) > len(asked) and named[-1].startswith("{"):
        named.pop()
    if named[-1].startswith("{"):  # the last name may have slashes
        del asked[len(named) :]
    for place, name in enumerate(named[: len(asked)]):
        if name.startswith("{"):
            asked[place] = name
    return SequenceMatcher(None, "/".join(asked), "/".join(named)).ratio()
