"""Runs one command: an error becomes one line and an exit code, an interruption ends tidily."""

import errno
import logging
import os
import signal
import sys
import threading
import traceback
import warnings

import typer

from firstseen.commands.app import make_app
from firstseen.commands.streams import tell
from foundation.errors import FirstseenError, InputNotFoundError, TemporaryError, UsageError

INTERRUPTED = 130
GRACE_SECONDS = 3


def run(arguments: list[str]) -> int:
    """Runs one command and returns its exit code; an error is one line on stderr."""
    try:
        if "" in arguments:
            raise UsageError("one argument is empty; expected a value: is a variable unset?")
        return make_app()(arguments or ["--help"], prog_name="firstseen", standalone_mode=False) or 0
    except typer.TyperException as error:
        tell(f"firstseen: {error.format_message()}; see firstseen --help")
        return UsageError.exit_code
    except FirstseenError as error:
        if error.exit_code == FirstseenError.exit_code:
            traceback.print_exc()  # nobody expected this: whoever mends it needs to see where
        tell(f"firstseen: {error}")
        return error.exit_code
    except (BrokenPipeError, SystemExit):  # Typer turns the first into the second
        # The reader of stdout went away, as `head` does: nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return unreadable(error) if error.filename else unexpected(error)
        tell(f"firstseen: {error.strerror}: {error.filename or 'temporary files'}; free some space and run again")
        return TemporaryError.exit_code
    except Exception as error:
        return out_of_memory(error) if is_out_of_memory(error) else unexpected(error)


def is_out_of_memory(error: Exception) -> bool:
    """Returns whether Python, or TensorFlow in its own words, asked for more memory than there is."""
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"


def out_of_memory(error: Exception) -> int:
    """Says in one line that memory is too small, and what lowers the need; returns the exit code."""
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    tell(f"firstseen: more memory was needed than there is ({first[:120]}); lower --batch-size, --size or the widths")
    return UsageError.exit_code


def unreadable(error: OSError) -> int:
    """Says in one line which file or folder could not be used; returns the exit code."""
    tell(f"firstseen: {error.strerror}: {error.filename!r}; check the name and its access rights")
    return InputNotFoundError.exit_code


def unexpected(error: Exception) -> int:
    """Shows where an error that is a defect came from, then says so in one line; returns the exit code."""
    traceback.print_exc()
    tell(f"firstseen: unexpected {type(error).__name__}: {error}; this is a defect, please report it")
    return FirstseenError.exit_code


def main() -> None:
    """Runs the command line and exits with its code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # what `nohup` and `&` ask for is respected
            signal.signal(number, interrupt)
    # A stream that was closed before the start is None, and would fail at the first word.
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    quiet_libraries()
    code = run(sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the work is done: its exit code stands
    if code == INTERRUPTED:
        leave()
    sys.exit(code)


def interrupt(*_: object) -> None:
    """Ends the command, tidily if that takes a few seconds only: a pipeline may wait for its workers for ever.

    A scheduler stops a job with SIGTERM: it ends as with Ctrl-C.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What an interruption breaks in the threads of a pipeline is no news.
    threading.excepthook = lambda _: None
    timer = threading.Timer(GRACE_SECONDS, leave)
    timer.daemon = True
    timer.start()
    raise KeyboardInterrupt


def leave() -> None:
    """Says that the command was interrupted, and leaves at once: the threads of a pipeline do not stop when asked."""
    tell("firstseen: interrupted; what was finished before is untouched, run again to go on")
    sys.stdout.flush()
    os._exit(INTERRUPTED)


def quiet_libraries() -> None:
    """Keeps what TensorFlow, Beam and Pillow say about themselves off the terminal, before they are imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    # With a handler there, neither a library's first warning nor Beam's options set up logging to stderr.
    logging.getLogger().addHandler(logging.NullHandler())
    # A damaged EXIF block is an everyday matter in an archive.
    warnings.filterwarnings("ignore", module=r"PIL\.")
