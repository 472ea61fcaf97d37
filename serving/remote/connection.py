"""Asks one server over HTTP: keeps its connections, waits where it says so, and gives up in bounded time."""

import logging
import random
import threading
import time
from collections.abc import Callable
from http.client import BadStatusLine
from itertools import count
from typing import TypeVar

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError, NameResolutionError, SSLError

from foundation.errors import FirstseenError, InputNotFoundError, TemporaryError, UsageError
from foundation.wording import spelled_out
from serving.remote.options import RemoteOptions
from serving.remote.problems import error_of, wait_of
from serving.remote.sockets import Sockets

# An answer to a request of 8 photos with a thousand matches each has some 10 MB: nothing much larger is read.
MAX_ANSWER_BYTES = 64 << 20
PIECE_BYTES = 1 << 16
# Without a word of the server the waits double, from the first to the longest.
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 10.0

Parsed = TypeVar("Parsed")

_LOG = logging.getLogger(__name__)


class Connection:
    """One server: every request is answered whole, or raises an error that names the server.

    `address` and `key` are as `check_address` and `check_key` return them. Any number of threads may ask. A wait for
    the server is logged once, as a warning: it may take minutes.
    """

    def __init__(self, address: str, key: str | None, options: RemoteOptions):
        self._address, self._options = address, options
        self._headers = {"User-Agent": "firstseen", "Accept": "application/json"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"
        # Whether to try again is decided here: a wait is as long as the server says.
        self._pool = urllib3.PoolManager(retries=False, maxsize=4)
        self._sockets = Sockets(self._pool)
        self._closed = threading.Event()
        self._has_answered = False
        # The thread that gets it tells, and nobody gives it back.
        self._to_be_told = threading.Lock()

    def get(self, path: str, *, parse: Callable[[bytes], Parsed]) -> Parsed:
        """Returns what the server has under a path; raises as `post` does."""
        return self._ask("GET", path, None, {}, parse)

    def post(self, path: str, body: bytes, content_type: str, *, parse: Callable[[bytes], Parsed]) -> Parsed:
        """Returns what `parse` makes of the answer to a body.

        Raises TemporaryError when the patience is over, TooMuchError for a body that is too large for this server, and
        else the error that `error_of` makes of what the server says.
        """
        return self._ask("POST", path, body, {"Content-Type": content_type}, parse)

    def close(self) -> None:
        """Closes the connections; whoever waits for an answer, or to ask again, gives up."""
        self._closed.set()
        self._sockets.shut()
        self._pool.clear()

    def named(self, error: FirstseenError) -> FirstseenError:
        """Returns the same error with the server named before it."""
        return type(error)(f"server {self._address} {error}")

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        parse: Callable[[bytes], Parsed],
    ) -> Parsed:
        until = time.monotonic() + self._options.patience_seconds
        for tried in count():
            try:
                received = self._try(method, path, body, headers)
                break
            except _PassingError as passing:
                self._wait(passing, tried, until)
        try:
            return parse(received)
        except FirstseenError as error:
            raise self.named(error) from error

    def _try(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        timeout = urllib3.Timeout(connect=self._options.connect_seconds, read=self._options.read_seconds)
        try:
            # The key goes to the one server that it is for: a redirect is not followed.
            response = self._pool.request(
                method,
                self._address + path,
                body=body,
                headers={**self._headers, **headers},
                timeout=timeout,
                redirect=False,
                preload_content=False,
            )
            with response:
                received = self._read(response)
        except (HTTPError, TimeoutError) as failure:
            raise self._unreachable(failure) from failure
        self._has_answered = True
        if response.status == 200 and response.headers.get("Content-Type", "").startswith("application/json"):
            return received
        error = error_of(response, received, has_key="Authorization" in self._headers)
        raise _PassingError(str(error), wait_of(response)) if isinstance(error, TemporaryError) else self.named(error)

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes:
        # The time limit of a socket begins anew with each byte; this one does not, and a slow drip ends.
        until = time.monotonic() + self._options.read_seconds
        received = bytearray()
        while piece := response.read1(PIECE_BYTES):
            received += piece
            if len(received) > MAX_ANSWER_BYTES:
                raise self.named(UsageError(f"answers more than {MAX_ANSWER_BYTES >> 20} MB; expected a smaller top_k"))
            if time.monotonic() > until:
                raise TimeoutError(f"its answer takes longer than {self._options.read_seconds:g} s")
        return bytes(received)

    def _unreachable(self, failure: Exception) -> Exception:
        why = spelled_out(_why(failure))[:300]
        if isinstance(failure, LocationParseError):
            return self.named(UsageError(f"is no address: {why}; expected https://HOST or http://HOST:PORT"))
        if isinstance(failure, NameResolutionError):
            return self.named(InputNotFoundError("has no address; expected a machine that runs `firstseen serve`"))
        if isinstance(failure, SSLError):
            return self.named(_untrusted(why))
        if any(isinstance(one, BadStatusLine) and not isinstance(one, OSError) for one in failure.args):
            return self.named(InputNotFoundError("does not speak HTTP; expected `firstseen serve` there"))
        return _PassingError(f"does not answer: {why}")

    def _wait(self, passing: "_PassingError", tried: int, until: float) -> None:
        """Waits as long as the server asked for; raises TemporaryError if the patience does not last until then."""
        if self._closed.is_set():
            raise _closed()
        wait = passing.wait
        if wait is None:
            wait = min(FIRST_WAIT_SECONDS * 2 ** min(tried, 20), LONGEST_WAIT_SECONDS)
        # Clients that were turned away in one moment shall not come back in one.
        wait *= random.uniform(1, 1.25)  # noqa: S311 (no secret)
        # Nobody waits for a server that never answered: that is rather a wrong address than one that starts again.
        if not self._has_answered:
            remedy = "expected `firstseen serve` there: check the address, or run it again later"
            raise self.named(TemporaryError(f"{passing.why}; {remedy}")) from passing
        most = f"{self._options.patience_seconds:g} s"
        if time.monotonic() + wait > until:
            remedy = f"it takes longer than the {most} that are waited for it: run it again later"
            raise self.named(TemporaryError(f"{passing.why}; {remedy}")) from passing
        if self._to_be_told.acquire(blocking=False):
            _LOG.warning("waiting up to %s: server %s %s", most, self._address, passing.why)
        if self._closed.wait(wait):
            raise _closed()


def _closed() -> UsageError:
    return UsageError("this searcher was closed while it looked up; expected an open one until the last answer")


def _why(failure: Exception) -> str:
    """Returns what the system says: the library's own words name its objects."""
    for cause in (failure.__cause__, *failure.args):
        if isinstance(cause, OSError):
            return cause.strerror or str(cause)
    return str(failure.args[0]) if failure.args else str(failure)


def _untrusted(why: str) -> UsageError:
    if "WRONG_VERSION_NUMBER" in why or "record layer failure" in why:
        return UsageError("does not speak TLS; expected http:// in its address, or the address of a proxy that does")
    remedy = "the variable SSL_CERT_FILE names that of an authority of your own"
    return UsageError(f"cannot be trusted: {why}; expected a certificate that this machine knows: {remedy}")


class _PassingError(Exception):
    """A try that failed for a reason that passes, told in `why`; `wait` is in seconds, if the server said how long."""

    def __init__(self, why: str, wait: float | None = None):
        super().__init__(why)
        self.why, self.wait = why, wait
