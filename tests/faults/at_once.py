"""Runs the commands that come in as lines of JSON, with an encoder that takes no time, and says how each ended.

    python -m tests.faults.at_once FOLDER

Two such processes that are told a command at the same moment begin it within milliseconds of each other.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

import pytest

from firstseen.commands.running import run
from tests.nights import make_nights


def main() -> None:
    """Answers each line with the command's exit code and what it said."""
    answers = sys.stdout
    with pytest.MonkeyPatch.context() as patch:
        make_nights(Path(sys.argv[1]), patch)
        print("ready", file=answers, flush=True)
        for line in sys.stdin:
            said = io.StringIO()
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                code = run(json.loads(line))
            print(json.dumps([code, said.getvalue()]), file=answers, flush=True)


if __name__ == "__main__":
    main()
