"""Opens what answers are written to: standard output, or a file that appears only when it is whole."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from foundation.files import finished_file

STANDARD_OUTPUT = "standard output"


@contextmanager
def open_binary(output: Path) -> Iterator[BinaryIO]:
    """Opens a file that takes its name only when everything is written; OSErrors carry that name."""
    with finished_file(output) as partial, io.BufferedWriter(_NamedFile(partial, name=str(output))) as file:
        yield file


@contextmanager
def open_partial(partial: Path, output: Path) -> Iterator[IO[str]]:
    """Opens a file for text that will be named `output` when others are written too; OSErrors carry that name."""
    with io.BufferedWriter(_NamedFile(partial, name=str(output))) as file, _text(file) as text:
        yield text


@contextmanager
def open_text(output: Path | None, *, for_people: bool = False) -> Iterator[IO[str]]:
    """Opens standard output, or a file as `open_binary` does, for text in UTF-8 whatever the locale says.

    Readers of CSV and JSON expect UTF-8. With `for_people` standard output keeps the encoding of the terminal, which
    shows a sign for every letter that it does not have.
    """
    if output:
        with open_binary(output) as file, _text(file) as text:
            yield text
        return
    descriptor = _standard_output()
    if descriptor is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    file = io.BufferedWriter(_NamedFile(descriptor, name=STANDARD_OUTPUT))
    with _text(file, sys.stdout.encoding, "replace") if for_people else _text(file) as text:
        yield text


def _standard_output() -> int | None:
    """Returns a second descriptor of standard output, or None if a notebook or a test put something else there.

    A stream of our own leaves `sys.stdout` with its encoding. It also takes what could not be written with it when it
    is closed; `sys.stdout` would try again at the end of the process, and change the exit code.
    """
    try:
        sys.stdout.flush()
        return os.dup(sys.stdout.buffer.fileno())
    except (AttributeError, io.UnsupportedOperation):
        return None


def _text(file: BinaryIO, encoding: str = "utf-8", errors: str = "backslashreplace") -> io.TextIOWrapper:
    # A terminal is to show a line when it is written, a file gets whole blocks.
    return io.TextIOWrapper(file, encoding, errors, newline="", line_buffering=file.isatty())


class _NamedFile(io.FileIO):
    """A file whose errors carry a name that the user knows: a full disk names none, the operating system another."""

    def __init__(self, target: Path | int, *, name: str):
        self._shown = name
        with self._errors_named():
            super().__init__(target, "w")

    def write(self, data) -> int:
        with self._errors_named():
            return super().write(data)

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            error.filename = self._shown
            raise
