"""Makes the in-memory runner, in this process or in several."""

import shlex
import sys

from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.environments import SubprocessSDKEnvironment


def local_runner(workers: int) -> FnApiRunner:
    """Returns the in-memory runner, or the same with worker processes.

    DirectRunner, Beam's default, tries first to download another runner. Workers leave Ctrl-C to the launcher, which
    ends them, and their chatter off the terminal: what goes wrong in them reaches the launcher as an error.
    """
    # One worker needs no processes: those take seconds to start, and decoding uses all cores from one process anyway.
    if workers == 1:
        return FnApiRunner()
    python = shlex.quote(sys.executable)
    # The shell ignores the interrupt before Python starts, since a handler set in Python would come seconds too late.
    command = f"trap '' INT; exec {python} -m pipelines.runners.local_worker 2>/dev/null"
    return FnApiRunner(SubprocessSDKEnvironment.from_command_string(command))
