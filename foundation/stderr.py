"""Keeps what C++ libraries print off the terminal."""

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Drops what is written to stderr inside: remarks of a library's C++ that are not addressed to a user."""
    # C++ writes to the file descriptor, past `sys.stderr`. The descriptor is the process's: what another thread writes
    # meanwhile is lost as well.
    sys.stderr.flush()
    saved, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)
