"""Opens buckets (`gs://`, `s3://`) as their environment says, and turns what storage raises into clear errors.

What the network does for a moment (503, 429, resets, timeouts) is tried again with growing pauses, and only then an
error, a TemporaryError: the photos or the artifact may well be there.
"""

import errno
import io
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from obstore import exceptions
from obstore.store import ObjectStore, from_url

from foundation.errors import NO_SPACE, AccessDeniedError, FirstseenError, InputNotFoundError, TemporaryError

if TYPE_CHECKING:
    from obstore.store import RetryConfig

Result = TypeVar("Result")

BUCKET_SCHEMES = ("gs", "s3")
# No attempt begins later than a minute after the first one; one attempt ends after obstore's own 30 seconds.
RETRIES: "RetryConfig" = {
    "max_retries": 8,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=10), "base": 2},
}
# A connection that is reset in the midst of a listing's answer is an error at once in obstore: it is asked again here.
RESETS, RESET_PAUSE_SECONDS = 4, 0.1
# The process that opened the first bucket: obstore's threads live in it alone.
_owner: list[int] = []
# obstore names the status of an answer and the fate of a request in its text only.
_STATUS = re.compile(r"status code: (\d{3})")
_TEMPORARY = re.compile(r"status code: (?:408|429|5\d\d)|error sending request|HTTP error|timed? ?out", re.IGNORECASE)
# An answer that ends in its middle is no reason for obstore to ask again, however often it did so before.
_GIVEN_UP = re.compile(r"after [1-9]\d* retries(?!.*response body error)")
# Where a machine in a cloud gives credentials, asked when the environment has none. Any other machine gives no answer.
_MACHINE = re.compile(r"://[^/\s]+/(?:latest/api/token|latest/meta-data/iam|computeMetadata)")
_CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for s3://, GOOGLE_SERVICE_ACCOUNT for gs://"


def open_bucket(uri: str) -> ObjectStore:
    """Returns the bucket, or the prefix of one, at a `gs://` or `s3://` address, with its credentials and endpoint.

    They come from the environment (`AWS_…`, `GOOGLE_…`). Nothing is asked of the network yet. Raises RuntimeError in a
    process that was forked from one which has opened a bucket.
    """
    if not _owner:
        _owner.append(os.getpid())
    if _owner[0] != os.getpid():
        # A request would wait for ever for threads that stayed behind in the parent.
        raise RuntimeError("a bucket was opened before this process was forked; expected one started by spawn")
    # No `client_options` here: given any, obstore forgets those of the environment, such as AWS_ALLOW_HTTP.
    return from_url(uri, retry_config=RETRIES)


def retried(request: Callable[[], Result]) -> Result:
    """Returns what a request gives that may be made twice, and repeats it after a reset which obstore does not mend."""
    for attempt in range(RESETS):
        try:
            return request()
        except exceptions.GenericError as error:
            if not _TEMPORARY.search(str(error)) or _GIVEN_UP.search(str(error).splitlines()[0]):
                raise
        time.sleep(RESET_PAUSE_SECONDS * 2**attempt)
    return request()


class _RangeReader(io.RawIOBase):
    """A file whose bytes are asked for range by range: `read_range` takes (offset, length), both within the size.

    Arrow asks a file whether it is closed, which obstore's own reader does not know; and `tarfile` steps back by a
    byte, for which that one asks for its whole buffer again.
    """

    def __init__(self, read_range: Callable[[int, int], bytes], size_bytes: int):
        self._read_range, self._size_bytes, self._position = read_range, size_bytes, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size_bytes}[whence]
        if start + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._position = start + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        length = min(len(buffer), self._size_bytes - self._position)
        if length <= 0:
            return 0
        data = self._read_range(self._position, length)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def buffered(read_range: Callable[[int, int], bytes], size_bytes: int, *, buffer_bytes: int) -> BinaryIO:
    """Returns a file for random reads over ranges; a read within the bytes of the last range asks for none."""
    return io.BufferedReader(_RangeReader(read_range, size_bytes), buffer_bytes)


@contextmanager
def translated(action: str) -> Iterator[None]:
    """Turns what the filesystem layer raises into one clear line with the right exit code."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputNotFoundError(f"cannot {action}: it does not exist") from error
    except (PermissionError, exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise _denied(action) from error
    except (OSError, ValueError, exceptions.BaseError) as error:  # ValueError: a path with `..` or an empty segment
        raise _translate(action, error) from error


def _denied(action: str) -> AccessDeniedError:
    return AccessDeniedError(f"cannot {action}: permission denied; check the access rights")


def _translate(action: str, error: Exception) -> FirstseenError:
    # obstore raises no OSError with a number, but names it in its text: "No space left on device (os error 28)".
    text = str(error).splitlines()[0]
    if any(f"(os error {number})" in str(error) for number in (errno.EACCES, errno.EPERM)):
        # A folder that may not be made in a store that is read-only to this user.
        return _denied(action)
    if f"(os error {errno.EROFS})" in str(error):
        return InputNotFoundError(
            f"cannot {action}: {os.strerror(errno.EROFS)}; mount it for writing, or choose another"
        )
    for number in NO_SPACE:
        if getattr(error, "errno", None) == number or f"(os error {number})" in str(error):
            return TemporaryError(f"cannot {action}: {os.strerror(number)}; free some space and run again")
    if isinstance(error, exceptions.GenericError):
        status = _STATUS.search(text)
        # One that answers with 429 or 5xx is busy for a moment, and has credentials to give.
        if _MACHINE.search(text) and not (status and _TEMPORARY.search(status[0])):
            return AccessDeniedError(f"cannot {action}: no credentials; {_CREDENTIALS}")
        # A listing has no errors of their own for these, unlike a read.
        if status and status[1] in ("401", "403"):
            return _denied(action)
        if status and status[1] == "404":
            return InputNotFoundError(f"cannot {action}: it does not exist")
        if _TEMPORARY.search(text):
            return TemporaryError(f"cannot {action}: {text}; run again later")
    return InputNotFoundError(f"cannot {action}: {text}")
