"""Turns whatever ended a command into one line on stderr and an exit code."""

import os
import traceback
from collections.abc import Sequence

import typer

from firstseen.commands import logs, streams
from firstseen.commands.streams import tell
from foundation.errors import NO_SPACE, FirstseenError, InputNotFoundError, TemporaryError, UsageError
from foundation.wording import spelled_out


def report(error: BaseException, arguments: Sequence[str] = ()) -> int:
    """Says in one line what ended the command with these arguments; returns the exit code."""
    if _is_unread(_origin(error)):
        streams.silence(streams.STDOUT)
        return 0
    code, words = _judge(_origin(error), arguments)
    # Nobody expected this: whoever mends it needs to see where it comes from.
    trace = show_trace(_origin(error)) if code == FirstseenError.exit_code else {}
    tell(f"firstseen: {words}", level="error" if code else "info", exit_code=code, **trace)
    return code


def _origin(error: BaseException) -> BaseException:
    """Returns the BrokenPipeError or EOFError in whose place Typer or rich has put an error without words.

    Any other SystemExit is a library's, which ended the command before its work was done: it is no success.
    """
    if isinstance(error, SystemExit) and isinstance(error.__context__, BrokenPipeError):
        return error.__context__
    if isinstance(error, typer.Abort) and error.__cause__:
        return error.__cause__
    return error


def _is_unread(error: BaseException) -> bool:
    # The reader of stdout went away, as `head` does: nobody is left to tell.
    return isinstance(error, BrokenPipeError) and error.filename == streams.STANDARD_OUTPUT


def _judge(error: BaseException, arguments: Sequence[str]) -> tuple[int, str]:
    """Returns the exit code, and what is told."""
    if isinstance(error, typer.TyperException):
        return UsageError.exit_code, _misused(error, arguments)
    if isinstance(error, FirstseenError):
        return error.exit_code, spelled_out(str(error))
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        # Python names a file that it cannot open, not one that it cannot write to.
        what = error.filename or "an output or temporary file"
        return TemporaryError.exit_code, f"{error.strerror}: {what}; free some space and run again"
    if isinstance(error, OSError) and error.filename:
        unreadable = f"{error.strerror}: {error.filename!r}; check the name and its access rights"
        return InputNotFoundError.exit_code, unreadable
    if isinstance(error, FileNotFoundError) and _has_lost_its_folder():
        lost = "the folder that this was started in is gone; expected one that is there: cd to it, and run again"
        return InputNotFoundError.exit_code, lost
    if _is_out_of_memory(error):
        return UsageError.exit_code, _out_of_memory(error)
    defect = f"unexpected {type(error).__name__}: {error}; this is a defect, please report it"
    return FirstseenError.exit_code, defect


def show_trace(error: BaseException) -> dict[str, str]:
    """Prints the traceback; or returns it as a field of the line that follows, since JSON is of whole lines."""
    if logs.is_on():
        return {"traceback": "".join(traceback.format_exception(error))}
    traceback.print_exception(error)
    return {}


def _has_lost_its_folder() -> bool:
    # What is relative cannot be found any more; the system names no file then.
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _misused(error: typer.TyperException, arguments: Sequence[str]) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "firstseen"
    # Typer's messages end with a full stop or not, and some have several lines.
    message = " ".join(error.format_message().split()).rstrip(".")
    file = next((one for one in arguments if one.startswith("-") and os.path.isfile(one)), None)
    meant = f"; the file is given as ./{file}" if file and message.startswith("No such option") else ""
    return f"{message}{meant}; see {command} --help"


def _is_out_of_memory(error: BaseException) -> bool:
    # TensorFlow has an error of its own for it, which is told by its name: the import would take seconds.
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"


def _out_of_memory(error: BaseException) -> str:
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return f"more memory was needed than there is ({first[:120]}); lower --batch-size, --size or the widths"
