"""Tells of each request in one line of the log: who asked what, and what it came to; never a key, a body or a query."""

from collections.abc import Mapping
from typing import Any, Protocol

from starlette.types import Scope

MOST_PATH = 200


class Log(Protocol):
    """Writes one line of the log."""

    def __call__(self, event: str, level: str, fields: Mapping[str, object]) -> None:
        """`level` is info, warning or error."""


def route_of(scope: Scope) -> str:
    """Returns the route of a request as the app names it, so that metrics have a bounded number of names."""
    return getattr(scope.get("route"), "path", None) or "none"


def fields_of(scope: Scope, *, status: int, seconds: float) -> dict[str, Any]:
    """Returns what the log says of a request; what a route put into `state.told` is said, too.

    The query of the address is left out: a client may have put a key there by mistake.
    """
    state = scope.get("state", {})
    fields = {
        "request_id": state.get("request_id"),
        "method": scope["method"],
        "path": _path(scope),
        "route": route_of(scope),
        "status": status,
        "seconds": round(seconds, 4),
        "client": (scope.get("client") or ("",))[0],
        "key": state.get("key"),
        "reason": state.get("reason"),
        **state.get("told", {}),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _path(scope: Scope) -> str:
    # Whoever has the address of a lookup of the page may see it.
    route = route_of(scope)
    return route if "{lookup_id}" in route else scope["path"][:MOST_PATH]


def level_of(status: int) -> str:
    """Returns how loud a request is told: what fails here is an error, what is refused a warning."""
    if status >= 500:
        return "error" if status == 500 else "warning"
    return "warning" if status in (401, 403, 429) else "info"
