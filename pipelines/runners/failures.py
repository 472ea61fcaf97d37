"""Finds the project's own error in what a runner raises: most hand it on as the text of a traceback."""

import errno
import os
import re

from foundation import errors
from foundation.errors import FirstseenError, TemporaryError


def typed_error(error: Exception) -> FirstseenError:
    """Returns the error that a worker raised: most runners hand it on as the text of a traceback.

    The local runner raises the error itself, with the name of the step appended.
    """
    if isinstance(error, FirstseenError):
        return type(error)(_without_step(str(error)))
    for line in reversed(str(error).splitlines()):
        found = re.search(r"\bfoundation\.errors\.(\w+): (.*)", line)
        kind = getattr(errors, found[1], None) if found else None
        if found and isinstance(kind, type) and issubclass(kind, FirstseenError):
            return kind(_without_step(found[2]))
    last = (str(error).strip().splitlines() or [type(error).__name__])[-1]
    if os.strerror(errno.ENOSPC) in last:
        return TemporaryError(f"{_without_step(last)}; free some space, temporary files included, and run again")
    return FirstseenError(f"the pipeline failed: {last}")


def _without_step(message: str) -> str:
    return re.sub(r" \[while running .*", "", message)
