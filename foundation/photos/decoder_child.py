"""Answers calls in a decoder process: functions and arguments come in by a pipe, results and errors go out by one.

`foundation.photos.decoder_processes` starts such processes, and tells from how one ends what became of a photo.
"""

import os
import pickle
import resource
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2

PROTOCOL = 5
# The reply between two others that says: the bytes are here.
IS_READ = "read"
# obstore gives up sooner, also when a bucket stalls in the midst of its answers; a mount may hang for ever.
READ_SECONDS = 600


@dataclass(frozen=True)
class Reading:
    """The first argument of a call that begins with a read, which may take `seconds` of its own, beside the call's."""

    read: Callable[[], bytes]
    seconds: float = READ_SECONDS

    def __call__(self) -> bytes:
        """Returns the bytes: in the process that decodes they are read before, and are a function like this one."""
        return self.read()


def serve(timeout_seconds: float, memory_bytes: int) -> None:
    """Answers the calls on stdin by replies on stdout until stdin ends, as it does when the parent dies.

    A request is a pickle of (function, arguments), a reply one of (result, error, traceback). The first reply comes
    unasked, and says that the process is ready. A call that takes longer than `timeout_seconds` ends the process, as
    does a `Reading` that takes longer than its own; IS_READ tells in which of them it was.
    """
    requests, replies = _private(0, "rb"), _private(1, "wb")
    _limit(memory_bytes)
    _send(replies, _reply(lambda: None))
    # From here on all that is printed is what decoders say of a photo in C, and the reject says that already.
    os.dup2(1, 2)
    while requests.peek(1):
        try:
            function, arguments = pickle.load(requests)  # noqa: S301 (from the parent)
        except Exception as error:
            # What is left in the pipe may be bytes of a photo, which must never be taken for a pickle.
            return _send(replies, _error_reply(error))
        reply = _reply(partial(_call, replies, timeout_seconds), function, *arguments)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _send(replies, reply)
    return None


def _private(descriptor: int, mode: str) -> Any:
    """Opens stdin or stdout for the pickles alone: what a library reads or prints there must not end up among them."""
    own, nowhere = os.dup(descriptor), os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
    return os.fdopen(own, mode)


def _limit(memory_bytes: int) -> None:
    """Bounds memory and threads, and makes the kernel end this process, not its parent, where memory runs out."""
    # Data, and not addresses: a file that is mapped to be read costs none. Linux counts all private memory that was
    # asked for, other systems less.
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    bound = memory_bytes if most == resource.RLIM_INFINITY else min(memory_bytes, most)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, most))
    # A dump of each decoder that dies would fill the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # Linux alone has this file
        Path("/proc/self/oom_score_adj").write_text("1000")
    # An alarm that nobody handles ends a process whatever it is doing, and even if its parent is dead. What the parent
    # had set for its own alarms was inherited.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    # There is a process per core already: OpenCV's threads would only wait for one another.
    cv2.setNumThreads(1)


def _call(replies: Any, seconds: float, function: Callable, *arguments: Any) -> Any:
    if arguments and isinstance(arguments[0], Reading):
        signal.setitimer(signal.ITIMER_REAL, arguments[0].seconds)
        data = arguments[0].read()
        signal.setitimer(signal.ITIMER_REAL, 0)
        _send(replies, pickle.dumps(IS_READ, PROTOCOL))
        arguments = (partial(bytes, data), *arguments[1:])
    signal.setitimer(signal.ITIMER_REAL, seconds)
    return function(*arguments)


def _reply(function: Callable, *arguments: Any) -> bytes:
    try:
        return pickle.dumps((function(*arguments), None, ""), PROTOCOL)
    except Exception as error:
        return _error_reply(error)


def _error_reply(error: Exception) -> bytes:
    told = "".join(traceback.format_exception(error))
    try:
        reply = pickle.dumps((None, error, told), PROTOCOL)
        pickle.loads(reply)  # noqa: S301 (made here)
    except Exception:  # an error of a kind that cannot be sent: its words can
        return pickle.dumps((None, RuntimeError(f"{type(error).__name__}: {error}"), told), PROTOCOL)
    return reply


def _send(replies: Any, reply: bytes) -> None:
    replies.write(reply)
    replies.flush()
