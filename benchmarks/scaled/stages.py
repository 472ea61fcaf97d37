"""Runs one command in this process and measures its stages: seconds and memory of each, less those of stages within.

    python -m benchmarks.scaled.stages FILE COMMAND…

The figures go into FILE as JSON. A stage is what some functions do, wherever they are called; an import counts as such
wherever it happens, and everything else is the command line's.
"""

import atexit
import builtins
import functools
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

# Stages in their order, and the functions that are theirs, each by its module and its name there.
IMPORT, COMMAND_LINE = "import", "command line"
STAGES = {
    "files checked": ["foundation.store.checked:CheckedFiles.verify"],
    "segments opened": ["serving.search.snapshot:OpenSnapshot.__init__"],
    "encoder": ["serving.searcher:load"],
    "photo decoded": ["foundation.photos.photo:decode", "serving.match.evidence:query_features"],
    "photo encoded": ["foundation.encoder:SavedEncoder.encode"],
    "searched": ["serving.search.segment_group:SegmentGroup.search", "serving.search.snapshot:OpenSnapshot.voted"],
    "proved": ["serving.match.examine:examine"],
    "written": ["serving.output.formats:write_answers"],
}


class Stages:
    """Keeps the time and the memory of each stage; the stages of a single lookup follow one another."""

    def __init__(self) -> None:
        self.figures: dict[str, list[float]] = {}
        self._open = [COMMAND_LINE]
        self._lock = threading.Lock()
        self._last = now()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts what happens within as this stage's."""
        with self._lock:
            self._settle()
            self._open.append(name)
        try:
            yield
        finally:
            with self._lock:
                self._settle()
                self._open.pop()

    def settle(self) -> dict[str, list[float]]:
        """Returns seconds, processor seconds and bytes of each stage so far."""
        self._settle()
        return self.figures

    def is_in(self, name: str) -> bool:
        """Returns whether this stage is the one that is being measured."""
        return self._open[-1] == name

    def _settle(self) -> None:
        before, self._last = self._last, now()
        found = self.figures.setdefault(self._open[-1], [0.0] * len(before))
        found[:] = [sum_ + after - one for sum_, after, one in zip(found, self._last, before, strict=True)]


def now() -> tuple[float, float, int]:
    """Returns the time, that of the processor, and the bytes that this process has in memory, mapped files included."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return time.perf_counter(), time.process_time(), pages * os.sysconf("SC_PAGE_SIZE")


def watch_imports(stages: Stages) -> None:
    """Counts imports as a stage, from now on."""
    plain = builtins.__import__

    def watched(*given: Any, **named: Any) -> Any:
        if stages.is_in(IMPORT):
            return plain(*given, **named)
        with stages.stage(IMPORT):
            return plain(*given, **named)

    builtins.__import__ = watched


def watch(stages: Stages, name: str, function: str) -> None:
    """Counts a function, `module:name`, as a stage, from now on."""
    module, _, path = function.partition(":")
    *owners, attribute = path.split(".")
    owner = functools.reduce(getattr, owners, import_module(module))
    plain: Callable[..., Any] = getattr(owner, attribute)

    @functools.wraps(plain)
    def watched(*given: Any, **named: Any) -> Any:
        with stages.stage(name):
            return plain(*given, **named)

    setattr(owner, attribute, watched)


def main() -> None:
    """Runs the command and writes what its stages took."""
    target = Path(sys.argv[1])
    stages = Stages()
    watch_imports(stages)
    for name, functions in STAGES.items():
        for function in functions:
            watch(stages, name, function)
    from firstseen.commands import running

    sys.argv[1:] = sys.argv[2:]
    atexit.register(lambda: target.write_text(json.dumps(stages.settle())))
    running.main()


if __name__ == "__main__":
    main()
