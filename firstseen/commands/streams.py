"""Writes lines for people to stderr, and keeps both streams usable until the end: stdout is for data only."""

import io
import os
import sys
from contextlib import suppress

from firstseen.commands import logs

STDOUT, STDERR = 1, 2
STANDARD_OUTPUT = "standard output"


def tell(line: str, *, level: str = "info", **fields: object) -> None:
    """Prints one line for a person, to stderr; or writes it as JSON, with `level` and the figures in it as fields.

    The line is lost if stderr cannot be written, for instance on a full disk: the work goes on, and the exit code
    still says how it ended.
    """
    with suppress(OSError):
        if logs.is_on():
            logs.write(line, level, fields)
        else:
            print(logs.text_line(line), file=sys.stderr, flush=True)


def open_missing() -> None:
    """Opens /dev/null for each stream that was closed before the start.

    Python has None in its place, which fails at the first word, and gives its number to the next file that is opened:
    what a library prints would land in that file.
    """
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115


class _NamedFile(io.FileIO):
    """A file that is open already, with a name in the errors of its writes.

    Python leaves the name out. Then a full standard output looks like any full disk, and a reader of stdout that went
    away like any other broken pipe.
    """

    def __init__(self, number: int, name: str):
        super().__init__(number, "w", closefd=False)
        self._name = name

    def write(self, data) -> int:
        """Writes what fits, and returns how many bytes did; raises OSError with the name."""
        try:
            return super().write(data)
        except OSError as error:
            error.filename = self._name
            raise


def name_stdout() -> None:
    """Puts the same stdout, with the same encoding and buffering, behind a name for its errors."""
    old = sys.stdout
    # Python keeps the one that it opened itself; another would close the file when it is forgotten.
    if old is sys.__stdout__ and isinstance(old, io.TextIOWrapper):
        old.flush()
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(_NamedFile(STDOUT, STANDARD_OUTPUT)),
            encoding=old.encoding,
            errors=old.errors,
            line_buffering=old.line_buffering,
            write_through=old.write_through,
        )


def settle() -> None:
    """Writes what stdout and stderr still hold, and drops what cannot be written.

    Python does this too when it ends, but prints a complaint of its own on failure, and exits with 120.
    """
    for stream, number in ((sys.stdout, STDOUT), (sys.stderr, STDERR)):
        try:
            stream.flush()
        except (OSError, ValueError):  # ValueError: it was closed
            silence(number)


def silence(number: int) -> None:
    """Puts /dev/null in the place of a stream, by its number: what is left in its buffer ends there."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
