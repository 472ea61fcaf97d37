"""Lets a request in or refuses it: host, origin, key, role and rate, before anything of its body is read."""

import base64
import binascii
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.http.keys import Key, KeyFile, Role, now
from serving.http.options import is_loopback
from serving.http.problems import Problem, retry_after
from serving.http.rates import Rate, Rates

# What a cluster probes needs no key, and is asked by the address of a machine.
OPEN_PATHS = ("/livez", "/readyz")
# The page of an error has it, also that of an error to have no key, or the wrong host.
STYLE = "/assets/style.css"
ADMIN_PATHS = ("/v1/admin/", "/metrics")
READING = ("GET", "HEAD", "OPTIONS")
# The page of one query shows dozens of pictures, that of the largest form a thousand: what is read has a bound of its
# own, so that no key asks for photos without end.
READS_PER_QUERY = 30
LEAST_READS = 1_500
# A browser asks for the key of a page by the first of them; `firstseen` and programs use the second.
CHALLENGES = (
    ("WWW-Authenticate", 'Basic realm="firstseen", charset="UTF-8"'),
    ("WWW-Authenticate", 'Bearer realm="firstseen"'),
)


class Guard:
    """An ASGI app around another; raises a Problem for what must not reach it.

    Without `keys` everybody may ask who names a loopback host, or any if `is_open`: a page of a stranger may make a
    browser send requests to 127.0.0.1 under a name of its own (DNS rebinding), but cannot make it name that.
    """

    def __init__(self, app: ASGIApp, *, keys: KeyFile | None, is_open: bool):
        self._app, self._keys, self._is_open = app, keys, is_open
        self._rates, self._reads = Rates(), Rates()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or raises."""
        if scope["type"] == "http" and scope["path"] not in (*OPEN_PATHS, STYLE):
            self._check(scope, Headers(scope=scope))
        await self._app(scope, receive, send)

    def _check(self, scope: Scope, headers: Headers) -> None:
        if not self._keys and not self._is_open:
            _check_host(headers)
        if scope["method"] not in READING:
            _check_origin(headers)
        if self._keys:
            key = _key_of(self._keys, headers)
            # The log names it, also where it is refused.
            scope.setdefault("state", {})["key"] = key.name
            _let_in(key, scope["path"])
            if key.requests_per_minute:
                self._count(key, key.requests_per_minute, scope)

    def _count(self, key: Key, per_minute: int, scope: Scope) -> None:
        """Counts a request of a key; raises a Problem, 429, if it is one too many."""
        if scope["method"] in READING:
            wait = self._reads.take(key.name, max(LEAST_READS, READS_PER_QUERY * per_minute))
            detail = f"the key of {key.name} reads too much in a minute; expected less: wait"
        else:
            wait = self._rates.take(key.name, per_minute)
            detail = f"the key of {key.name} asks more than {per_minute:,} times a minute; expected fewer queries: wait"
            scope["state"]["rate"] = Rate(self._rates, key.name, per_minute)
        if wait:
            raise Problem(429, "rate", detail, headers=[retry_after(wait)])


def _let_in(key: Key, path: str) -> None:
    if key.is_expired(now()):
        raise _unauthorized("expired_key", f"the key of {key.name} has expired; expected a new one")
    role: Role = "admin" if path.startswith(ADMIN_PATHS) else "search"
    if role not in key.roles and path != "/openapi.json":
        raise Problem(403, "role", f"the key of {key.name} is not for this; expected one with the role {role}")


def _key_of(keys: KeyFile, headers: Headers) -> Key:
    secret = _secret(headers)
    if secret is None:
        raise _unauthorized("no_key", "the request has no key; expected one: `Authorization: Bearer KEY`")
    key = keys.find(secret)
    if key is None:
        raise _unauthorized("wrong_key", "the key is none of this service; expected one that `firstseen keys` made")
    return key


def _check_host(headers: Headers) -> None:
    host = _host_name(headers.get("host", ""))
    if not is_loopback(host):
        raise Problem(
            403,
            "host",
            f"the request names the host {host[:100]!r}; expected localhost: to be asked under another name, start the "
            "service with --keys FILE",
        )


def _check_origin(headers: Headers) -> None:
    """Refuses what a page of another site makes a browser send; programs name neither site nor origin."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    is_own = urlsplit(origin).netloc.lower() == headers.get("host", "").lower() if _is_url(origin) else origin is None
    if site in ("cross-site", "same-site") or not is_own:
        raise Problem(403, "origin", "a page of another site sent this; expected a page of this service, or a program")


def _is_url(origin: str | None) -> bool:
    try:
        return bool(origin and urlsplit(origin).netloc)
    except ValueError:
        return False


def _host_name(host: str) -> str:
    """Returns the host of a `Host` header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _secret(headers: Headers) -> str | None:
    """Returns the key that a request brings: as a bearer token, or as the password of any user."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _unauthorized(reason: str, detail: str) -> Problem:
    return Problem(401, reason, detail, headers=CHALLENGES)
