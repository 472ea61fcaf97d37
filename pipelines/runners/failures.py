"""Names the work that failed in a worker, and finds the project's own error in what the runner makes of it."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from foundation import errors
from foundation.errors import NO_SPACE, FirstseenError, TemporaryError, UsageError

# How the last line of a traceback names an error of the project. The module is taken from the class itself: a pattern
# that spelled it out would go on matching nothing after the module was moved.
_OWN_ERROR = re.compile(rf"\b{re.escape(FirstseenError.__module__)}\.(\w+): (.*)")
# Python's own, NumPy's and Arrow's, and TensorFlow's, which has a page of text behind it.
_OUT_OF_MEMORY = re.compile(r"\b\w*MemoryError\b|\bResourceExhaustedError\b")
# Java's own, in the job server or in Flink: no option of this project's has a part in it.
_JAVA_OUT_OF_MEMORY = re.compile(r"\bjava\.lang\.OutOfMemoryError(?:: ([^.\n]+))?")
# What a task manager says when it cannot start a worker, or when that ends at once; of a number above 128, a signal
# ended it.
_NO_WORKER = re.compile(r"IOException: (?:Cannot run program .*: )?error=\d+, (.+)|(Process died with exit code \d+)")
_KILLED = re.compile(r"Process died with exit code (?:129|1[3-9]\d|2\d\d)\b")
# What Flink's client says when the job manager is gone, or when the slots that a job lost do not come back.
_CLUSTER_LOST = re.compile(r"\b(?:ConnectException|NoResourceAvailableException)\b: (.+)")
# What the local runner says when a worker process was killed.
_LOST_WORKER = "Channel closed prematurely"
# Beam appends the step to the message of whatever is raised in it.
_STEP = " [while running "
_FULL_DISK = tuple(os.strerror(number) for number in NO_SPACE)


@contextmanager
def naming(work: str) -> Iterator[None]:
    """Puts the piece of work, such as a chunk of the inventory, before the message of whatever fails in it.

    The project's errors keep their type, and with it their exit code. Every other one becomes a RuntimeError whose
    text names its type, so that `typed_error` can tell a full disk and too little memory from a defect.
    """
    try:
        yield
    except FirstseenError as error:
        raise type(error)(f"{work}: {error}") from error
    except Exception as error:
        # Not the type of the error itself: many types cannot be made from one text, and runners hand on text anyway.
        raise RuntimeError(f"{work}: {type(error).__name__}: {error}") from error


def typed_error(error: Exception) -> FirstseenError:
    """Returns the error that a worker raised, as one of the project's: what it names decides the exit code.

    The local runner raises the error itself, with the name of the step appended; other runners raise an error of their
    own that holds the worker's traceback as text. A full disk and a worker that was killed become a TemporaryError, too
    little memory a UsageError, and what nothing is known of a FirstseenError of one line.
    """
    if isinstance(error, FirstseenError):
        return type(error)(_without_step(str(error)))
    # A traceback shows the cause first, and what it was turned into last: the last error of the project is the one.
    for line in reversed(str(error).splitlines()):
        found = _OWN_ERROR.search(line)
        kind = getattr(errors, found[1], None) if found else None
        if found and isinstance(kind, type) and issubclass(kind, FirstseenError):
            return kind(_without_step(found[2]))
    last = _last_line(error)
    if found := _JAVA_OUT_OF_MEMORY.search(str(error)):
        return UsageError(
            f"Java needed more memory than it is given ({found[1] or 'OutOfMemoryError'}); expected more for Beam's "
            "job server, by --job_server_jvm_property=-Xmx2g after `--`, or, where a log of Flink names it, for Flink: "
            "taskmanager.memory in its config.yaml, and in infra/flink the options of Java in cluster.sh"
        )
    if isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(str(error)):
        return UsageError(
            f"more memory was needed than there is ({_without_step(last)[:200]}); run again with a lower "
            "--batch-size or fewer --workers (encode), or a lower --memory-limit or --max-segment-rows (index)"
        )
    if _LOST_WORKER in str(error) or _KILLED.search(str(error)):
        return TemporaryError(
            "a worker process ended in the middle of its work, killed by somebody or for want of memory; expected it "
            "to come to its end: run again, which goes on, and if memory was short with fewer --workers, or on a "
            "cluster with fewer at a time (Flink: --parallelism=N after `--`)"
        )
    if found := _NO_WORKER.search(str(error)):
        return UsageError(
            f"a machine of the cluster cannot start workers ({found[1] or found[2]}); expected firstseen-worker on its "
            "PATH: install this version of firstseen there, or name its place by --environment_config after `--`"
        )
    if found := _CLUSTER_LOST.search(str(error)):
        return TemporaryError(
            f"the cluster lost the job ({found[1]}); run again once it is up with the workers it had, and what was "
            "finished counts"
        )
    if any(text in last for text in _FULL_DISK):
        return TemporaryError(f"{_without_step(last)}; free some space, temporary files included, and run again")
    return FirstseenError(f"the pipeline failed: {_without_step(last)}")


def _last_line(error: Exception) -> str:
    """Returns the line that says what went wrong: the one that names the step, since advice of Beam may follow it."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return next((line for line in reversed(lines) if _STEP in line), lines[-1])


def _without_step(message: str) -> str:
    return message.partition(_STEP)[0]
