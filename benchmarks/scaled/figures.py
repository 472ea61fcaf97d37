"""Keeps the figures of steps that take hours: each step is a process, and one that is done is not done again."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.index import status
from foundation.files import replace_file

# Where `benchmarks.scale` keeps what it makes, for other benchmarks too.
FOLDER = Path.home() / "bench" / "scale"
# In the folder of a benchmark.
FIGURES = "figures.json"
# What a step is told in words and numbers, and what it hands back.
Figure = dict[str, Any]
Step = Callable[..., Figure]
# Names of steps, each with what it is told.
Steps = list[tuple[str, dict[str, Any]]]


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
            self._keep({**self.known, **_read(self._path), name: found})
            print(f"{time.strftime('%H:%M:%S')} {self.known[name]}", flush=True)
        return self.known[name]

    def measure_all(self, steps: Steps) -> None:
        """Does those of some steps that are not known, one after the other."""
        for step, told in steps:
            self.measure(step, **told)

    def lacks(self, steps: Steps) -> bool:
        """Returns whether one of some steps is not known."""
        return any(name_of(step, told) not in self.known for step, told in steps)

    def forget(self, steps: Steps) -> None:
        """Forgets what is known of some steps, whose files are gone that the next ones need."""
        self._keep({name: one for name, one in self.known.items() if name not in {name_of(*step) for step in steps}})

    def forget_loaded(self, load: float, *, but: Sequence[str]) -> None:
        """Forgets what met more other work than this, but for steps whose time is no result."""
        self._keep({name: one for name, one in self.known.items() if name.split()[0] in but or one["load"] < load})

    def _keep(self, known: dict[str, Figure]) -> None:
        self.known = known
        replace_file(self._path, json.dumps(known, indent=1).encode())


def _read(path: Path) -> dict[str, Figure]:
    return json.loads(path.read_text()) if path.exists() else {}


def name_of(step: str, told: Mapping[str, Any]) -> str:
    """Returns what a step's figures are kept by: `search rows=1000000 segments=10`."""
    return " ".join([step, *(f"{name}={value}" for name, value in told.items())])


def in_a_process(command: Sequence[str], step: str, told: Mapping[str, Any]) -> Figure:
    """Returns what a step printed, and as its load how many cores other work had meanwhile, in the mean.

    Raises SystemExit with the end of what it said if it failed.
    """
    started, busy, own = time.perf_counter(), busy_seconds(), own_seconds()
    step_of = [*command, "--step", step, "--told", json.dumps(told)]
    done = subprocess.run(step_of, capture_output=True, text=True, check=False)  # noqa: S603 (our own command)
    if done.returncode:
        raise SystemExit(f"{name_of(step, told)} ended with {done.returncode}: {done.stderr[-2_000:]}")
    others = (busy_seconds() - busy - (own_seconds() - own)) / (time.perf_counter() - started)
    return {**json.loads(done.stdout.splitlines()[-1]), "load": round(max(0.0, others), 2)}


def busy_seconds() -> float:
    """Returns how long all cores together have worked, for anybody."""
    user, nice, system = map(int, Path("/proc/stat").read_text().split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    """Returns how long they have worked for the processes that this one started, once these have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


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
