"""Runs a command of firstseen that kills itself at a named place, or that writes down which places it passes.

    FAULTS_KILL_AT='after create snapshots/* 1' python -m tests.faults.killed reindex ARCHIVE --store STORE

Everything that outlives a process is written and deleted by a Store, so that before and after each of its operations is
a place to die at: the product itself knows nothing of this.
"""

import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from foundation.store.files import Store

KILL_AT, PASSED = "FAULTS_KILL_AT", "FAULTS_PASSED"
# What differs from run to run in a path: ids with their second, digests, numbers.
_NAMES = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]+|[0-9a-f]{12,}|(?<=/)\w+-[0-9a-f]{12}(?=/)|(?<=[/-])\d+")


def place(moment: str, operation: str, path: str) -> str:
    """Returns the name of a place: the same in every run of a command."""
    return f"{moment} {operation} {_NAMES.sub('*', path)}"


class Places:
    """Counts the places that a process passes, and kills it at one of them."""

    def __init__(self, kill_at: str | None, passed: Path | None):
        self._kill_at, self._passed = kill_at, passed
        self._counts: Counter[str] = Counter()

    def passing(self, moment: str, operation: str, path: str) -> None:
        """Counts a place, as its first, second … time, and dies there if it is the one."""
        name = place(moment, operation, path)
        self._counts[name] += 1
        numbered = f"{name} {self._counts[name]}"
        if self._passed:
            with self._passed.open("a") as file:
                file.write(f"{numbered}\n")
        if numbered == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, name: str) -> Callable[..., Any]:
        """Returns an operation of a store, with a place before and after it; of a list of paths, for each of them."""
        operation = getattr(Store, name)

        def watched(store: Store, paths: str | list[str], *rest: Any) -> Any:
            result = None
            for path in [paths] if isinstance(paths, str) else paths:
                self.passing("before", name, path)
                result = operation(store, path if isinstance(paths, str) else [path], *rest)
                self.passing("after", name, path)
            return result

        return watched


def main() -> None:
    """Runs the command that the arguments are."""
    passed = os.environ.get(PASSED)
    places = Places(os.environ.get(KILL_AT), Path(passed) if passed else None)
    for name in ("create", "upload", "delete"):
        setattr(Store, name, places.around(name))
    from firstseen.commands import running

    sys.argv[0] = "firstseen"
    running.main()


if __name__ == "__main__":
    main()
