"""Ends a command on Ctrl-C, SIGTERM or SIGHUP: tidily if that takes seconds, always with one line and exit code 130.

The entry point loads this module before all others, so it imports next to nothing.
"""

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress

from firstseen.commands import logs

EXIT_CODE = 130
# A scheduler stops a job with SIGTERM, a terminal that is closed with SIGHUP: the job ends as with Ctrl-C.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_SECONDS = 3
STDERR = 2

# What is true of an interrupted verb, and of running it again.
WHAT_NOW = {
    "train": "run it again, without --restart, and it resumes after its last whole epoch",
    "encode": "nothing that was finished is lost; run it again, and it goes on from there",
    "estimate": "nothing was written",
    "reindex": "what is live still answers; run it again, and it goes on from there",
    "index": "what is live still answers; run it again to index what the live snapshot does not hold",
    "lookup": "answers are missing; run it again, and a job goes on from there",
    "serve": "it had not begun to answer",
    "keys": "`firstseen keys list FILE` shows whose keys there are",
    "ignore": "`firstseen ignore list` shows what is on the list",
    "watch": "`firstseen watch list` shows what is watched, and `firstseen watch check` looks again",
    "status": "the store is untouched",
    "verify": "the store is untouched, and not all of it was checked",
    "purge": "run it again, and it goes on; `firstseen retract --list` says whether the photo is withdrawn already",
    "repair": "what is whole stays so; run it again, and it goes on with what is still damaged",
    "rollback": "`firstseen status` says which snapshot is live",
    "compact": "what is live still answers; run it again, and gc removes what was built",
    "gc": "what is kept is whole; run it again, and it goes on from there",
    "retract": "`firstseen retract --list` says what was withdrawn",
    "demo": "run it again, and it begins anew in the same folder",
    "study": "run it again to go on; what is finished is not done again",
    "evaluate": "run it again to go on; what is finished is not done again",
}
ANY_VERB = "nothing that was finished before is lost"


def leave_at_once(arguments: Sequence[str]) -> None:
    """From now on an interruption leaves without tidying up, which is right while nothing has been begun."""
    _listen(lambda *_: leave(arguments))


def leave_tidily(arguments: Sequence[str]) -> None:
    """From now on an interruption raises KeyboardInterrupt in the main thread, and leaves if that takes too long.

    A pipeline may wait for its workers for ever: after three seconds the process ends wherever it is.
    """
    import threading

    def interrupt(*_: object) -> None:
        ignore()
        # What an interruption breaks in the threads of a pipeline is no news.
        threading.excepthook = lambda _: None
        timer = threading.Timer(GRACE_SECONDS, leave, [arguments])
        timer.daemon = True
        timer.start()
        raise KeyboardInterrupt

    _listen(interrupt)


def ignore() -> None:
    """From now on an interruption is ignored: the end has begun, and its exit code stands."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def leave(arguments: Sequence[str]) -> None:
    """Says in one line that the command was interrupted and what to do now, and ends the process.

    The threads of a pipeline do not stop when they are asked, and the code that was interrupted may hold the lock of a
    stream. So this waits for neither: the line goes past Python's streams, and nothing is flushed.
    """
    line = f"firstseen: interrupted; {what_now(arguments)}"
    with suppress(OSError):
        # On a terminal a progress bar may stand in this line with its cursor hidden: both are undone.
        clean = "\r\x1b[K\x1b[?25h" if os.isatty(STDERR) else ""
        if logs.are_json(arguments):
            clean, line = "", logs.json_line(line, verb=_verb(arguments), exit_code=EXIT_CODE)
        else:
            line = logs.text_line(line, verb=_verb(arguments))
        os.write(STDERR, f"{clean}{line}\n".encode())
    os._exit(EXIT_CODE)


def what_now(arguments: Sequence[str]) -> str:
    """Returns what is true after an interruption of the verb that these arguments name."""
    return WHAT_NOW.get(_verb(arguments), ANY_VERB)


def _verb(arguments: Sequence[str]) -> str:
    _, verb = logs.global_options(arguments)
    return verb if verb in WHAT_NOW else ""


def _listen(handler: Callable[..., object]) -> None:
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # what `nohup` and `&` ask for is respected
            signal.signal(number, handler)
