"""Runs a command of firstseen as the one step of a job: so a Flex Template starts what goes on after its own launcher.

Dataflow starts the job of a template when the launcher has ended, while a command of firstseen waits for its jobs,
finishes its run and publishes. The command runs on a worker, and its own jobs are others than the one it runs in.
"""

import logging
import subprocess
import sys
from collections import deque

import apache_beam as beam

from foundation.errors import FirstseenError
from pipelines.runners.run import create_pipeline

_log = logging.getLogger(__name__)


def launch(words: list[str], *, runner: str, beam_flags: list[str]) -> None:
    """Hands a job to the runner that runs `firstseen` with these words; does not wait for its end.

    Raises UsageError on a flag that the runner cannot take.
    """
    pipeline = create_pipeline(runner, beam_flags=beam_flags)
    _ = pipeline | "Command" >> beam.Create([words]) | "RunCommand" >> beam.Map(run_command)
    pipeline.run()


def run_command(words: list[str]) -> None:
    """Runs `firstseen` with these words in a process of its own, and logs each line that it says.

    Raises FirstseenError with the command's last line if its exit code is not 0.
    """
    last: deque[str] = deque(maxlen=1)
    # A process of its own: the command answers signals and makes its own pipelines, which a worker's thread cannot.
    with subprocess.Popen(  # noqa: S603 (the words are those of the template's parameters, and no shell reads them)
        [sys.executable, "-m", "firstseen", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            last.append(line.rstrip())
            _log.info("%s", last[0])
    if process.returncode:
        raise FirstseenError(f"firstseen {words[0]} ended with exit code {process.returncode}: {''.join(last)}")
