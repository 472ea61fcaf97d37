"""Decodes photos in processes of their own, so that a decoder that dies, hangs or eats memory costs one photo.

A decoder is C code that reads whatever bytes it is given. In a thread, a fault of it ends the whole job.
"""

import errno
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, BinaryIO, TypeVar, cast

from foundation.checks import require_range
from foundation.errors import FirstseenError, TemporaryError
from foundation.photos.decoder_child import IS_READ, PROTOCOL, Reading
from foundation.photos.rejects import DecoderCrashedError, DecoderTimeoutError, OutOfMemoryError, PhotoError

Result = TypeVar("Result")

# No sound photo within the limits takes as long; the read of its bytes has a time of its own, see `Reading`.
TIMEOUT_SECONDS = 120
MOST_STARTS = 5
# By the table of `foundation.photos.photo`, the worst photo within the limits takes 2.7 GB. Its file takes 0.25 GB at
# most, twice as much while it is received from the parent, and Python with its libraries takes 0.1.
MEMORY_BYTES = 4 * 2**30

# A child finds modules where its parent does, wherever both were started.
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[3:]; "
    "from foundation.photos.decoder_child import serve; serve(float(sys.argv[1]), int(sys.argv[2]))"
)
# The libraries of linear algebra start a thread per core at their import, and keep memory for each.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# What one photo took is kept for the next: glibc would give it back to the kernel after each, and 5,000 page faults
# took 8 of the 37 ms that a photo with features takes. Other C libraries do not know these names.
_KEPT_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(64 * 2**20), "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20)}


class ChildTraceback(Exception):  # noqa: N818 (it shows where an error arose, and is never caught)
    """Where in a decoder process an error arose: the cause of the error that the parent raises."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class DecoderProcesses:
    """Calls functions in up to `processes` child processes, one per core by default, which start as they are needed.

    `threads` has a thread for each of them: `decode_ahead` with this pool and a function that uses `call` gives results
    in order. A call may take `timeout_seconds` and a process `memory_bytes`. Processes are started as new programs,
    never forked, so that the parent may have any threads and libraries; they end with it, also when it is killed.
    Raises UsageError for a number out of range.
    """

    def __init__(
        self,
        processes: int | None = None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        memory_bytes: int = MEMORY_BYTES,
    ):
        require_range("processes", 1 if processes is None else processes, 1)
        require_range("timeout_seconds", timeout_seconds, 0.001)
        require_range("memory_bytes", memory_bytes, 1)
        self.threads = ThreadPoolExecutor(processes or os.cpu_count(), thread_name_prefix="decode")
        self._limits = timeout_seconds, memory_bytes
        self._children: set[_Child] = set()
        self._idle: list[_Child] = []
        self._is_closed = False
        self._changing = threading.Lock()
        self._trying_again = threading.Lock()

    def __enter__(self) -> "DecoderProcesses":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Returns `function(*arguments)`, called in a child process, which finds the function by its module and name.

        Raises what the function raises. A process that dies raises DecoderCrashedError, DecoderTimeoutError or
        OutOfMemoryError; only the timeout at once, the others if it happens again in a fresh process. A first argument
        that is a Reading is read before the call's time begins; raises TemporaryError if that takes too long.
        """
        try:
            return self._call(self._idle_child(), function, arguments)
        except (DecoderCrashedError, OutOfMemoryError):
            # The photo may be innocent: the one before it may have damaged the process, or filled its memory, and the
            # kernel or a person may have killed it. One at a time, since several together may be what took the memory.
            with self._trying_again:
                return self._call(self._start(), function, arguments)

    def close(self) -> None:
        """Ends the processes, whatever they are doing, and cancels calls that have not begun."""
        with self._changing:
            self._is_closed = True
            children = list(self._children)
        self.threads.shutdown(wait=False, cancel_futures=True)
        for child in children:
            child.end()
        self.threads.shutdown()

    def _call(self, child: "_Child", function: Callable[..., Result], arguments: tuple) -> Result:
        is_sound = False
        try:
            result = child.call(function, arguments)
            is_sound = True
            return result
        except PhotoError as error:
            is_sound = not isinstance(error, (DecoderCrashedError, DecoderTimeoutError, OutOfMemoryError))
            raise
        finally:
            # A process that met anything unforeseen is not asked again: its next reply might be to another call.
            if is_sound:
                self._idle.append(child)
            else:
                self._end(child)

    def _idle_child(self) -> "_Child":
        try:
            return self._idle.pop()
        except IndexError:
            return self._start()

    def _start(self) -> "_Child":
        """Starts a process, and waits until it is ready."""
        for _ in range(MOST_STARTS):
            child = self._new_child()
            try:
                child.receive()
                return child
            except PhotoError:  # it was killed; no photo is to blame
                self._end(child)
        raise TemporaryError(
            f"{MOST_STARTS} decoder processes were killed before they were ready; expected memory for one per core: "
            "free some, and run again"
        )

    def _new_child(self) -> "_Child":
        with self._changing:
            if self._is_closed:
                raise FirstseenError("the decoder processes were closed; expected no call after that")
            child = _Child(*self._limits)
            self._children.add(child)
        return child

    def _end(self, child: "_Child") -> None:
        child.end()
        with self._changing:
            self._children.discard(child)


class _Child:
    """One decoder process, and the pipes to it."""

    def __init__(self, timeout_seconds: float, memory_bytes: int):
        self._timeout_seconds, self._memory_bytes = timeout_seconds, memory_bytes
        self._is_ready = False
        self._reading: Reading | None = None
        # In a session of its own it gets no Ctrl-C from the terminal: the parent ends it.
        self._process = subprocess.Popen(  # noqa: S603 (this very interpreter)
            [sys.executable, "-c", _PROGRAM, str(timeout_seconds), str(memory_bytes), *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_KEPT_MEMORY | os.environ | _ONE_THREAD,
            start_new_session=True,
        )
        self._requests = cast(BinaryIO, self._process.stdin)
        self._replies = cast(BinaryIO, self._process.stdout)

    def call(self, function: Callable[..., Result], arguments: tuple) -> Result:
        """Returns the function's result, or raises its error; OutOfMemoryError instead of a MemoryError."""
        self._reading = next((one for one in arguments[:1] if isinstance(one, Reading)), None)
        # Whoever dies while it is written to tells why in its reply, or by how it ends.
        with suppress(BrokenPipeError):
            pickle.dump((function, arguments), self._requests, PROTOCOL)
            self._requests.flush()
        result, error, told = self.receive()
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            gigabytes = self._memory_bytes / 2**30
            raise OutOfMemoryError(
                f"decoding needs more than the {gigabytes:.1f} GB that it may take; shrink the photo"
            )
        if error is not None:
            raise error from ChildTraceback(told)
        return result

    def end(self) -> None:
        """Ends the process at once, and forgets it; a second call does nothing."""
        self._process.kill()
        self._process.wait()
        with suppress(BrokenPipeError):  # a request that it did not read to its end
            self._requests.close()
        self._replies.close()

    def receive(self) -> tuple[Any, Exception | None, str]:
        """Returns the next reply: (result, error, traceback); the first one says that the process is ready."""
        try:
            reply = pickle.load(self._replies)  # noqa: S301 (from our own child)
            if reply == IS_READ:
                self._reading = None
                reply = pickle.load(self._replies)  # noqa: S301
            self._is_ready = True
            return reply
        except (EOFError, pickle.UnpicklingError) as error:
            # Its pipe is closed, so that it is ending, and for good: a signal now no longer changes its exit status.
            self._process.kill()
            raise self._death(self._process.wait()) from error

    def _death(self, status: int) -> FirstseenError:
        """Returns the error for a process that ended with this status: its own, or minus the number of a signal."""
        if status == -signal.SIGALRM and self._reading:
            return TemporaryError(
                f"its bytes did not come within {self._reading.seconds:g} s; see that its disk or bucket answers, and "
                "run again"
            )
        if status == -signal.SIGALRM:
            return DecoderTimeoutError(f"decoding took longer than {self._timeout_seconds:g} s; save the photo anew")
        if status == -signal.SIGKILL:
            return OutOfMemoryError("the decoder was killed, as it is where memory runs out; shrink the photo")
        if status > 0 and not self._is_ready:
            return FirstseenError(
                f"a decoder process ended with status {status} before it was ready; expected {sys.executable} to "
                "import what this process imports: install firstseen again"
            )
        how = f"by {signal.Signals(-status).name}" if status < 0 else f"with exit status {status}"
        return DecoderCrashedError(f"the decoder ended {how}; save the photo anew")
