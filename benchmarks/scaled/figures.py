"""Keeps the figures of steps that take hours: each step is a process, and one that is done is not done again."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.index import status
from foundation.files import replace_file

# In the folder of a benchmark.
FIGURES = "figures.json"
# What a step is told in words and numbers, and what it hands back.
Figure = dict[str, Any]
Step = Callable[..., Figure]


class Figures:
    """The figures of a benchmark in a JSON file of its folder, by the name of a step and what it was told."""

    def __init__(self, folder: Path, module: str):
        self.folder = folder
        self._path = folder / FIGURES
        self._command = [sys.executable, "-m", module, "--folder", str(folder)]
        self.known: dict[str, Figure] = _read(self._path)

    def measure(self, step: str, *, again: bool = False, **told: Any) -> Figure:
        """Returns the figures of a step, done in a process of its own unless they are known, or it is done `again`."""
        name = name_of(step, told)
        if again or name not in self.known:
            print(f"{time.strftime('%H:%M:%S')} {name}", flush=True)
            found = in_a_process(self._command, step, told)
            # Another run may have added to the file meanwhile.
            self.known |= _read(self._path) | {name: found}
            replace_file(self._path, json.dumps(self.known, indent=1).encode())
            print(f"{time.strftime('%H:%M:%S')} {self.known[name]}", flush=True)
        return self.known[name]


def _read(path: Path) -> dict[str, Figure]:
    return json.loads(path.read_text()) if path.exists() else {}


def name_of(step: str, told: Mapping[str, Any]) -> str:
    """Returns what a step's figures are kept by: `search rows=1000000 segments=10`."""
    return " ".join([step, *(f"{name}={value}" for name, value in told.items())])


def in_a_process(command: Sequence[str], step: str, told: Mapping[str, Any]) -> Figure:
    """Returns what a step printed, and its seconds, those of the processor, and the load that it met.

    Raises SystemExit with the end of what it said if it failed.
    """
    load = os.getloadavg()[0]
    step_of = [*command, "--step", step, "--told", json.dumps(told)]
    done = subprocess.run(step_of, capture_output=True, text=True, check=False)  # noqa: S603 (our own command)
    if done.returncode:
        raise SystemExit(f"{name_of(step, told)} ended with {done.returncode}: {done.stderr[-2_000:]}")
    return {**json.loads(done.stdout.splitlines()[-1]), "load": round(load, 1)}


def run_step(step: Step, folder: str, told: Mapping[str, Any]) -> None:
    """Does a step in this process and prints its figures with the time and the memory that it took, mapped files too.

    `seconds` and `peak_bytes` that a step measures itself count instead.
    """
    started, busy = time.perf_counter(), time.process_time()
    found = step(folder, **told)
    whole = {
        "seconds": round(time.perf_counter() - started, 2),
        "processor_seconds": round(time.process_time() - busy, 2),
        "peak_bytes": status("VmHWM"),
        "own_bytes": status("RssAnon"),
    }
    print(json.dumps({**whole, **found}))
