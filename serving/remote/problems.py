"""Turns what a server refuses into errors of the project, and says which of it passes, and when."""

import time
from email.utils import parsedate_to_datetime

from urllib3 import BaseHTTPResponse

from foundation.errors import AccessDeniedError, FirstseenError, InputNotFoundError, TemporaryError, UsageError
from foundation.wording import spelled_out
from serving.remote.address import KEY_VARIABLE
from serving.remote.wire import detail_of

PROBLEM = "application/problem+json"
# What a service says first of a path that it has nothing under: see `serving.http.near_misses`.
NO_ROUTE = "there is nothing at "
# What passes: too many requests, and a server (or a proxy before it) that is not there for the moment.
PASSING = (429, 502, 503, 504)


class TooMuchError(FirstseenError):
    """A request had more bytes or photos than the server takes at once or in time: a smaller one may be answered."""


def error_of(response: BaseHTTPResponse, body: bytes, *, has_key: bool) -> FirstseenError:
    """Returns the error of a response that is no answer, without the server's address; of what passes, no remedy."""
    status = response.status
    said = spelled_out(detail_of(body))
    if response.headers.get("X-Request-ID") and status >= 500:
        said += f" (request {spelled_out(response.headers['X-Request-ID'])[:80]})"
    if status in PASSING:
        return TemporaryError(f"is busy or not ready: {_words(response, said)}")
    if 300 <= status < 400:
        there = spelled_out(response.headers.get("Location", "nowhere"))
        return UsageError(f"redirects to {there[:200]}; expected the address of the service itself: try that one")
    # Of a proxy too, whose limit may be the lower one; and what came too slowly may come in time in smaller pieces.
    if status in (408, 413):
        return TooMuchError(f"takes no request of this size: {_words(response, said)}")
    if not response.headers.get("Content-Type", "").startswith(PROBLEM):
        return _stranger(response)
    return _refusal(status, said, has_key)


def wait_of(response: BaseHTTPResponse) -> float | None:
    """Returns the seconds that a response asks to wait: a number, or until a date; None if it does not say."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _refusal(status: int, said: str, has_key: bool) -> FirstseenError:
    if status == 401:
        received = "does not know this key, or it has expired" if has_key else "wants a key, and none was given"
        return AccessDeniedError(f"{received}; expected a valid one in the variable {KEY_VARIABLE}: ask who runs it")
    if status == 403:
        return AccessDeniedError(f"refuses this: {said}; expected a key with the role search: ask who runs it")
    if status == 404 and (not said or said.startswith(NO_ROUTE)):
        return InputNotFoundError(
            "answers as firstseen, but not at this address; expected that of the service itself: https://HOST alone, "
            "or with the path that a proxy gives it"
        )
    if status == 404:
        return InputNotFoundError(f"does not have it: {said}")
    if status >= 500:
        return FirstseenError(f"failed with status {status}: {said}; tell who runs it, whose log says more")
    return UsageError(f"refuses the request with status {status}: {said}")


def _stranger(response: BaseHTTPResponse) -> InputNotFoundError:
    kind = spelled_out(response.headers.get("Content-Type", "no content type"))[:80]
    return InputNotFoundError(
        f"answers {response.status} with {kind}, not as firstseen; expected `firstseen serve` there"
    )


def _words(response: BaseHTTPResponse, said: str) -> str:
    return said or f"status {response.status} {spelled_out(response.reason or '')[:80]}".rstrip()
