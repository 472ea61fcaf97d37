"""Writes what is told on stderr as JSON objects, one a line, where a collector of logs asks for them; or as text.

The entry point loads this module before all others, so it imports next to nothing: structlog only once it is needed.
"""

import io
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

OPTION = "--log-format"
VARIABLE = "FIRSTSEEN_LOG_FORMAT"
TEXT, JSON = "text", "json"
# These run for weeks, and what they say is read long after: each line of text begins with its time.
SERVICES = ("serve",)

# The format and the verb of the command that runs now, and, if it is JSON, the logger that holds what every line of it
# names. These belong to the process and are no context variables: a thread does not inherit those, and progress comes
# from threads.
_format: str | None = None
_verb = ""
_logger: Any = None


def global_options(arguments: Sequence[str]) -> tuple[str | None, str]:
    """Returns (the log format asked for before the verb, or None; the verb, or nothing).

    Typer reads the option too, and refuses what is no format. It comes too late for an error or an interruption before.
    """
    asked = None
    words = iter(arguments)
    for word in words:
        name, separator, value = word.partition("=")
        if name == OPTION:
            asked = value if separator else next(words, None)
        elif not word.startswith("-"):
            return asked, word
    return asked, ""


def are_json(arguments: Sequence[str]) -> bool:
    """Returns whether a command with these arguments writes JSON; a command inside another writes as that one does."""
    asked, _ = global_options(arguments)
    return (asked or _format or os.environ.get(VARIABLE)) == JSON


@contextmanager
def begun(arguments: Sequence[str]) -> Iterator[None]:
    """Inside, lines are written as the arguments, or else the environment, ask for; JSON lines name the verb."""
    global _format, _verb, _logger
    before = _format, _verb, _logger, sys.stderr
    _, verb = global_options(arguments)
    try:
        _verb = verb
        if are_json(arguments):
            _format, _logger = JSON, _make_logger(_logger).bind(verb=verb)
            sys.stderr = _ForeignLines()
        else:
            _format, _logger = TEXT, None
        yield
    finally:
        _format, _verb, _logger, sys.stderr = before


def is_on() -> bool:
    """Returns whether the command that runs now writes JSON."""
    return _logger is not None


def write(event: str, level: str, fields: Mapping[str, object]) -> None:
    """Writes one JSON object to stderr: the time in UTC, the level, the event, what is bound, and the fields."""
    _logger.log(_number_of(level), event.strip(), **fields)


def text_line(line: str, *, verb: str | None = None) -> str:
    """Returns a line of text as it stands on stderr: of a service after its time in UTC, by default of this command."""
    return f"{_now()} {line}" if (_verb if verb is None else verb) in SERVICES else line


def bind(**fields: object) -> None:
    """From now on every JSON line of this command has these fields too, such as the id of a run that has begun."""
    global _logger
    if _logger is not None:
        _logger = _logger.bind(**fields)


def end(exit_code: int, *, seconds: float) -> None:
    """Writes the last JSON line of a command: how it ended, and how long it took."""
    if _logger is not None:
        with suppress(OSError):
            write(
                "ended", "info" if exit_code == 0 else "error", {"exit_code": exit_code, "seconds": round(seconds, 3)}
            )


def json_line(event: str, *, verb: str, exit_code: int) -> str:
    """Returns one JSON line of an event that needs no escapes, without any library.

    A signal handler writes it: whatever it imported could be half imported by what the signal interrupted.
    """
    return (
        f'{{"timestamp": "{_now()}", "level": "error", "event": "{event}", "verb": "{verb}", "exit_code": {exit_code}}}'
    )


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _number_of(level: str) -> int:
    import logging

    return {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}[level]


def _make_logger(outer: Any) -> Any:
    """Returns a logger that writes to the present stderr, or the one of the command around this one."""
    if outer is not None:
        return outer
    import structlog

    return structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),  # it writes a line whole, whichever thread it comes from
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _in_order,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        context_class=dict,
    )


def _in_order(_: object, __: str, line: MutableMapping[str, Any]) -> dict[str, Any]:
    """Puts first what a reader looks for first."""
    return {name: line.pop(name) for name in ("timestamp", "level", "event")} | {**line}


class _ForeignLines(io.TextIOBase):
    """A stderr for Python's own warnings and those of libraries, each line of which becomes a JSON object, too."""

    def __init__(self) -> None:
        # `print` writes a line and its end one after the other: those of two threads must not mix.
        self._of_thread = threading.local()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._of_thread.rest = (getattr(self._of_thread, "rest", "") + text).split("\n")
        with suppress(OSError):
            for line in filter(str.strip, lines):
                write(line, "warning", {"source": "library"})
        return len(text)
