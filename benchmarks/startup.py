"""Seconds from typing a command to its answer, for the commands that should answer at once.

python -m benchmarks.startup
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.results import machine, write_section

ROUNDS = 9


def seconds(*arguments: str) -> float:
    """Returns the median wall time of a command in a process of its own."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "firstseen", *arguments], check=True, capture_output=True)  # noqa: S603
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    """Measures each command and writes the section of RESULTS.md."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as directory:
        store = Path(directory, "store")
        store.mkdir()
        commands = [["--help"], ["encode", "--help"], ["lookup", "--help"], ["status", "--store", str(store)]]
        rows = [f"| `firstseen {' '.join(command[:2])}` | {seconds(*command):.2f} |" for command in commands]
        bare = f"| `python -c pass` | {bare_seconds():.2f} |"
    lines = [
        f"`python -m benchmarks.startup` on {machine()}, median of {ROUNDS}.",
        "",
        "| command | s |",
        "|---|---|",
        *rows,
        bare,
    ]
    write_section("Start-up", "\n".join(lines))


def bare_seconds() -> float:
    """Returns what Python itself takes."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
