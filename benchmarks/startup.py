"""Seconds from typing a command to its answer: commands that should answer at once, and one photo that is looked up.

    python -m benchmarks.startup [--folder FOLDER] [--photos 100000]

The photo is looked up in a store of so many photos with local features, made of what `benchmarks.scale` has prepared in
its folder; without that folder, only the other commands are measured. The store stays there, 24 KB a photo.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2

from benchmarks.results import machine, write_section
from benchmarks.scaled.figures import FOLDER, busy_seconds, own_seconds
from benchmarks.scaled.looked_up import SEEDS, made_store, other_uris, planted_uris
from benchmarks.scaled.stages import COMMAND_LINE, IMPORT, STAGES
from foundation.archives.uris import path_of
from foundation.store.checked import CHECK_ALL

ROUNDS = 9
MEGABYTE = 1e6
SAID = (
    "One photo looked up by `firstseen lookup` in a store of {photos:,} photos with local features, made of real ones "
    "as for `benchmarks.scale`. The first time, all files are held against their digests, and the kernel has them in "
    "its memory; every later time finds notes of that. Memory: of the process, mapped files included."
)


class Run(NamedTuple):
    """What a command took: seconds of the clock and of the processor, peak of memory in bytes, and others' load.

    Of several runs `least_seconds` is the quickest: what other work disturbs least.
    """

    least_seconds: float
    seconds: float
    processor_seconds: float
    peak_bytes: int
    load: float


def run(*command: str, environment: Mapping[str, str] | None = None) -> Run:
    """Runs a command of Python in a process of its own; raises SystemExit with what it said if it fails."""
    with tempfile.TemporaryFile() as told:
        started, busy, own = time.perf_counter(), busy_seconds(), own_seconds()
        process = subprocess.Popen(  # noqa: S603 (our own commands)
            [sys.executable, *command],
            stdout=subprocess.DEVNULL,
            stderr=told,
            # An installed program was compiled by pip; this one is compiled by its first run.
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", **(environment or {})},
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            told.seek(0)
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {told.read()[-2_000:].decode()}")
    processor = used.ru_utime + used.ru_stime
    load = (busy_seconds() - busy - (own_seconds() - own)) / seconds
    return Run(seconds, seconds, processor, used.ru_maxrss * 1024, max(0.0, load))


def median_of(runs: Sequence[Run]) -> Run:
    """Returns the median of each figure, and the least time."""
    medians = Run(*(statistics.median(column) for column in zip(*runs, strict=True)))
    return medians._replace(least_seconds=min(run.least_seconds for run in runs))


def measure_commands() -> list[str]:
    """Returns a table of the commands that should answer at once."""
    with tempfile.TemporaryDirectory() as directory:
        commands = [["--help"], ["encode", "--help"], ["lookup", "--help"], ["status", "--store", directory]]
        rows = [(f"firstseen {' '.join(one[:2])}", ["-m", "firstseen", *one]) for one in commands]
        found = [(name, measured(*command)) for name, command in [*rows, ("python -c pass", ["-c", "pass"])]]
    return [
        "| command | s | processor s | load |",
        "|---|---|---|---|",
        *(f"| `{name}` | {one.seconds:.2f} | {one.processor_seconds:.2f} | {one.load:.1f} |" for name, one in found),
    ]


def measured(*command: str, environment: Mapping[str, str] | None = None) -> Run:
    """Returns the medians of some runs of a command."""
    return median_of([run(*command, environment=environment) for _ in range(ROUNDS)])


def measure_lookup(folder: Path, photos: int) -> list[str]:
    """Returns tables of single photos that are looked up, and of the stages of that."""
    store = made_store(folder, photos)
    planted, others = planted_uris(str(folder)), other_uris(str(folder))
    with tempfile.TemporaryDirectory() as name:
        environment = {"XDG_CACHE_HOME": name}
        copy, stranger = (edited(uri, Path(name, f"{n}.jpg")) for n, uri in enumerate((planted[0], others[0])))
        command = ["lookup", "--store", str(store), "--output", str(Path(name, "answer.json"))]
        lookup = ["-m", "firstseen", *command]
        found = {
            "a copy, files read for the first time": run(*lookup, str(copy), environment=environment),
            "a copy, every later time": measured(*lookup, str(copy), environment=environment),
            "a stranger, which gets a closer look": measured(*lookup, str(stranger), environment=environment),
            "a copy, `FIRSTSEEN_CHECK_ALL=1`": measured(*lookup, str(copy), environment={CHECK_ALL: "1"}),
        }
        target = Path(name, "stages.json")
        stages = [stages_of([*command, str(copy)], target, environment) for _ in range(ROUNDS)]
    return [*lookup_table(found), "", *stages_table(stages)]


def edited(uri: str, path: Path) -> Path:
    """Writes a photo at three quarters of its size, as a JPEG of quality 75; returns where."""
    pixels = cv2.imread(str(path_of(uri)))
    smaller = cv2.resize(pixels, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), smaller, [cv2.IMWRITE_JPEG_QUALITY, 75])
    return path


def stages_of(command: Sequence[str], target: Path, environment: Mapping[str, str]) -> dict[str, list[float]]:
    """Returns seconds, processor seconds and bytes by stage."""
    run("-m", "benchmarks.scaled.stages", str(target), *command, environment=environment)
    return json.loads(target.read_text())


def lookup_table(found: Mapping[str, Run]) -> list[str]:
    """Returns what lookups took as a whole."""
    rows = []
    for name, one in found.items():
        peak = one.peak_bytes / MEGABYTE
        seconds = f"{one.seconds:.2f} | {one.least_seconds:.2f} | {one.processor_seconds:.2f}"
        rows.append(f"| {name} | {seconds} | {peak:.0f} | {one.load:.1f} |")
    return ["| one photo | s | quickest | processor s | peak MB | load |", "|---|---|---|---|---|---|", *rows]


def stages_table(runs: Sequence[Mapping[str, list[float]]]) -> list[str]:
    """Returns the medians of what each stage took."""
    names = [IMPORT, *STAGES, COMMAND_LINE]
    rows = []
    for name in names:
        columns = zip(*(run.get(name, [0.0] * 3) for run in runs), strict=True)
        seconds, processor, size = map(statistics.median, columns)
        rows.append(f"| {name} | {seconds:.3f} | {processor:.3f} | {size / MEGABYTE:.0f} |")
    return ["| stage, of a copy at a later time | s | processor s | MB more |", "|---|---|---|---|", *rows]


def main() -> None:
    """Measures everything and writes the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="that of `benchmarks.scale`")
    parser.add_argument("--photos", type=int, default=100_000)
    options = parser.parse_args()
    lines = [
        f"`python -m benchmarks.startup --photos {options.photos}` on {machine()}, medians of {ROUNDS}. Load: how many "
        "cores other work had meanwhile; seconds are then disturbed, processor seconds a little.",
        "",
        *measure_commands(),
    ]
    if (options.folder / SEEDS).exists():
        lines += ["", SAID.format(photos=options.photos), "", *measure_lookup(options.folder, options.photos)]
    write_section("Start-up", "\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
