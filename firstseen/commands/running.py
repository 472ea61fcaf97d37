"""Runs one command: parses it, calls its verb, and returns how it ended as an exit code."""

import atexit
import gc
import logging
import os
import sys
import time
import warnings
from collections.abc import Sequence
from typing import NoReturn

from firstseen.commands import failures, interruption, logs, metrics, streams
from firstseen.commands.app import make_app
from foundation.errors import TranslatedOnlyError, UsageError

# Of our own packages, those that have something to say while they work, and from which level on.
TOLD = {"pipelines": logging.WARNING, "serving.remote": logging.WARNING, "serving.live": logging.INFO}
# So many new objects are looked through at a time for what refers to itself alone.
COLLECTED_AFTER = 10_000


def run(arguments: list[str]) -> int:
    """Runs one command and returns its exit code; an error is one line on stderr."""
    started = time.monotonic()
    with logs.begun(arguments):
        code = _run(arguments)
        metrics.end(code)
        logs.end(code, seconds=time.monotonic() - started)
    return code


def _run(arguments: list[str]) -> int:
    try:
        if "" in arguments:
            raise UsageError("one argument is empty; expected a value: is a variable unset?")
        code = make_app()(arguments or ["--help"], prog_name="firstseen", standalone_mode=False) or 0
        sys.stdout.flush()  # now, while an error of it can still be told
        return code
    except TranslatedOnlyError as error:
        # It ends well, and did nothing: a night that only translates its job must not count as one that succeeded.
        metrics.forget()
        return failures.report(error)
    except (Exception, SystemExit) as error:
        return failures.report(error, arguments)


def main() -> None:
    """Runs the command line and exits with its code."""
    # What is loaded now stays until the end: looking through all of it, at every 700 objects more, is a twentieth of a
    # short command's time.
    gc.set_threshold(COLLECTED_AFTER)
    arguments = sys.argv[1:]
    streams.open_missing()
    streams.name_stdout()
    quiet_libraries(arguments)
    try:
        interruption.leave_tidily(arguments)
        code = run(arguments)
        streams.settle()
        interruption.ignore()
    except KeyboardInterrupt:
        code = interruption.EXIT_CODE
    if code == interruption.EXIT_CODE:
        streams.settle()
        interruption.leave(arguments)
    end(code, arguments)


def end(code: int, arguments: Sequence[str]) -> NoReturn:
    """Ends the process with this exit code, once what was to be done at its end is done."""
    _, verb = logs.global_options(arguments)
    # Python would take apart all that a lookup loaded, for a tenth of a second of a command that takes eight; and the
    # threads of a server may reach for Python while it ends, and abort the process.
    if verb in ("lookup", "serve"):
        atexit._run_exitfuncs()
        streams.settle()
        os._exit(code)
    sys.exit(code)


class _Told(logging.Handler):
    """Tells what there is to say while a command works, such as that a job goes on elsewhere."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record as a line for people."""
        trace = failures.show_trace(record.exc_info[1]) if record.exc_info and record.exc_info[1] else {}
        streams.tell(f"firstseen: {record.getMessage()}", level=record.levelname.lower(), **trace)


def quiet_libraries(arguments: Sequence[str]) -> None:
    """Keeps what TensorFlow, Beam and Pillow say about themselves off the terminal, before they are imported."""
    # Between lines of JSON even TensorFlow's errors are one too many: it raises those that matter.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3" if logs.are_json(arguments) else "2")
    # Pydantic asks every distribution that is installed whether it holds a plugin, at each start.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    # With a handler there, neither a library's first warning nor Beam's options set up logging to stderr.
    logging.getLogger().addHandler(logging.NullHandler())
    for name, level in TOLD.items():
        logging.getLogger(name).setLevel(level)
        logging.getLogger(name).addHandler(_Told())
    # A damaged EXIF block is an everyday matter in an archive.
    warnings.filterwarnings("ignore", module=r"PIL\.")
