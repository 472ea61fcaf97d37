"""Names the work that failed in a worker, and finds the project's own error in what the runner makes of it."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from foundation import errors
from foundation.errors import FirstseenError, TemporaryError

# How a traceback names an error of the project, whatever module defines it.
_OWN_ERROR = re.compile(rf"\b{re.escape(errors.__name__)}\.(\w+): (.*)")


@contextmanager
def naming(work: str) -> Iterator[None]:
    """Puts the piece of work, such as a chunk of the inventory, before the message of whatever fails in it.

    The project's errors keep their type, and with it their exit code, as do a full disk and too little memory.
    """
    try:
        yield
    except FirstseenError as error:
        raise type(error)(f"{work}: {error}") from error
    except MemoryError as error:
        raise MemoryError(f"{work}: {error}") from error
    except Exception as error:
        # The text of a full disk must survive: it is all that a runner hands on of an error that is not ours.
        raise RuntimeError(f"{work}: {type(error).__name__}: {error}") from error


def typed_error(error: Exception) -> FirstseenError:
    """Returns the error that a worker raised: most runners hand it on as the text of a traceback.

    The local runner raises the error itself, with the name of the step appended.
    """
    if isinstance(error, FirstseenError):
        return type(error)(_without_step(str(error)))
    for line in reversed(str(error).splitlines()):
        found = _OWN_ERROR.search(line)
        kind = getattr(errors, found[1], None) if found else None
        if found and isinstance(kind, type) and issubclass(kind, FirstseenError):
            return kind(_without_step(found[2]))
    last = (str(error).strip().splitlines() or [type(error).__name__])[-1]
    if os.strerror(errno.ENOSPC) in last:
        return TemporaryError(f"{_without_step(last)}; free some space, temporary files included, and run again")
    return FirstseenError(f"the pipeline failed: {last}")


def _without_step(message: str) -> str:
    return re.sub(r" \[while running .*", "", message)
