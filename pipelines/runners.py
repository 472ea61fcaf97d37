"""Which Beam runner, with which options; and a run whose progress can be watched and whose errors stay typed."""

import argparse
import errno
import os
import re
import shlex
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.environments import SubprocessSDKEnvironment

from training import errors
from training.errors import FirstseenError, TemporaryError, UsageError

LOCAL = "local"
PROGRESS_INTERVAL_SECONDS = 0.5


def create_pipeline(runner: str, *, workers: int = 1, beam_flags: list[str]) -> beam.Pipeline:
    """Returns an empty pipeline on the named runner; `local` is the in-memory one, in `workers` processes.

    Raises UsageError on an unknown runner, and on a flag Beam does not know, which Beam itself drops silently.
    """
    check_flags(beam_flags)
    local = [f"--direct_num_workers={workers}"] if runner == LOCAL else []
    options = PipelineOptions([*local, *beam_flags])
    try:
        return beam.Pipeline(runner=_local_runner(workers) if runner == LOCAL else runner, options=options)
    except Exception as error:  # a runner checks its options here, and each fails in a way of its own
        reason = " ".join(str(error).split())[:300]
        raise UsageError(
            f"runner {runner!r} cannot be used ({reason}); expected local, DirectRunner, FlinkRunner, DataflowRunner "
            "or another Beam runner, and its options after `--`"
        ) from error


def check_flags(beam_flags: list[str]) -> None:
    """Raises UsageError naming the flags that no Beam option class takes, or the value one refuses."""
    parser = _Parser(prog="beam", allow_abbrev=False, add_help=False)
    for options in _subclasses(PipelineOptions):
        if "_add_argparse_args" in vars(options):
            _add_known(parser, options)
    known, unknown = parser.parse_known_args(beam_flags)
    if unknown:
        raise UsageError(f"Beam does not know {' '.join(unknown)}; expected its pipeline options after `--`")
    if known.runner:
        raise UsageError(f"runner {known.runner!r} is named after `--`; expected firstseen's own --runner before it")


def _local_runner(workers: int) -> FnApiRunner:
    """Returns the in-memory runner, or the same with worker processes.

    DirectRunner, Beam's default, tries first to download another runner. Workers leave Ctrl-C to the launcher, which
    ends them, and their chatter off the terminal: what goes wrong in them reaches the launcher as an error.
    """
    if workers == 1:
        return FnApiRunner()
    python = shlex.quote(sys.executable)
    command = f"trap '' INT; exec {python} -m pipelines.local_worker 2>/dev/null"
    return FnApiRunner(SubprocessSDKEnvironment.from_command_string(command))


def run_to_end(pipeline: beam.Pipeline, *, on_progress: Callable[[], None] | None = None) -> None:
    """Runs the pipeline, calling `on_progress` twice a second; re-raises the project's own errors as themselves."""
    try:
        with _ticking(on_progress):
            pipeline.run().wait_until_finish()
    except Exception as error:
        if KeyboardInterrupt.__name__ in str(error):  # it struck while a step was running in this thread
            raise KeyboardInterrupt from error
        raise typed_error(error) from error


def typed_error(error: Exception) -> FirstseenError:
    """Returns the error that a worker raised: most runners hand it on as the text of a traceback.

    The local runner raises the error itself, with the name of the step appended.
    """
    if isinstance(error, FirstseenError):
        return type(error)(_without_step(str(error)))
    for line in reversed(str(error).splitlines()):
        found = re.search(r"\btraining\.errors\.(\w+): (.*)", line)
        kind = getattr(errors, found[1], None) if found else None
        if found and isinstance(kind, type) and issubclass(kind, FirstseenError):
            return kind(_without_step(found[2]))
    last = (str(error).strip().splitlines() or [type(error).__name__])[-1]
    if os.strerror(errno.ENOSPC) in last:
        return TemporaryError(f"{_without_step(last)}; free some space, temporary files included, and run again")
    return FirstseenError(f"the pipeline failed: {last}")


def _without_step(message: str) -> str:
    return re.sub(r" \[while running .*", "", message)


@contextmanager
def _ticking(tick: Callable[[], None] | None) -> Iterator[None]:
    if tick is None:
        yield
        return
    stop = threading.Event()

    def loop() -> None:
        while not stop.wait(PROGRESS_INTERVAL_SECONDS):
            tick()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    tick()


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"Beam refuses a flag: {message}")


def _add_known(parser: Any, options: type[PipelineOptions]) -> None:
    # Two classes of Beam define the same flag: the first definition is enough to know it.
    with suppress(argparse.ArgumentError):
        options._add_argparse_args(parser)


def _subclasses(kind: type) -> list[type]:
    direct: list[type] = kind.__subclasses__()
    return [*direct, *(below for one in direct for below in _subclasses(one))]
