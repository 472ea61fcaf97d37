"""Turns whatever ended a command into one line on stderr and an exit code."""

import traceback

import typer

from firstseen.commands import streams
from firstseen.commands.streams import tell
from foundation.errors import NO_SPACE, FirstseenError, InputNotFoundError, TemporaryError, UsageError


def report(error: BaseException) -> int:
    """Says in one line what ended the command; returns the exit code."""
    error = _origin(error)
    if isinstance(error, BrokenPipeError) and error.filename == streams.STANDARD_OUTPUT:
        # The reader of stdout went away, as `head` does: nobody is left to tell.
        streams.silence(streams.STDOUT)
        return 0
    if isinstance(error, typer.TyperException):
        return _misused(error)
    if isinstance(error, FirstseenError):
        return _expected(error)
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return _full(error)
    if isinstance(error, OSError) and error.filename:
        return _unreadable(error)
    return _out_of_memory(error) if _is_out_of_memory(error) else _unexpected(error)


def _origin(error: BaseException) -> BaseException:
    """Returns the BrokenPipeError or EOFError in whose place Typer or rich has put an error without words.

    Any other SystemExit is a library's, which ended the command before its work was done: it is no success.
    """
    if isinstance(error, SystemExit) and isinstance(error.__context__, BrokenPipeError):
        return error.__context__
    if isinstance(error, typer.Abort) and error.__cause__:
        return error.__cause__
    return error


def _misused(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "firstseen"
    # Typer's messages end with a full stop or not, and some have several lines.
    message = " ".join(error.format_message().split()).rstrip(".")
    tell(f"firstseen: {message}; see {command} --help")
    return UsageError.exit_code


def _expected(error: FirstseenError) -> int:
    if error.exit_code == FirstseenError.exit_code:
        traceback.print_exc()  # nobody expected this: whoever mends it needs to see where
    tell(f"firstseen: {_one_line(str(error))}")
    return error.exit_code


def _one_line(text: str) -> str:
    # A file name, or a field of a damaged file, may hold line breaks and codes that a terminal would obey.
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _full(error: OSError) -> int:
    # Python names a file that it cannot open, not one that it cannot write to.
    what = error.filename or "an output or temporary file"
    tell(f"firstseen: {error.strerror}: {what}; free some space and run again")
    return TemporaryError.exit_code


def _unreadable(error: OSError) -> int:
    tell(f"firstseen: {error.strerror}: {error.filename!r}; check the name and its access rights")
    return InputNotFoundError.exit_code


def _is_out_of_memory(error: BaseException) -> bool:
    # TensorFlow has an error of its own for it, which is told by its name: the import would take seconds.
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"


def _out_of_memory(error: BaseException) -> int:
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    tell(f"firstseen: more memory was needed than there is ({first[:120]}); lower --batch-size, --size or the widths")
    return UsageError.exit_code


def _unexpected(error: BaseException) -> int:
    traceback.print_exception(error)
    tell(f"firstseen: unexpected {type(error).__name__}: {error}; this is a defect, please report it")
    return FirstseenError.exit_code
