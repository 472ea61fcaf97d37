"""Seconds and memory of the same commands by another checkout of firstseen and by this one, in turns.

    python -m benchmarks.versions CHECKOUT [--rounds 5]

CHECKOUT is a clone of the project at another commit; both run in this Python with the same libraries. Every command is
a process of its own, start-up included, and each checkout has made the store that it reads. Commands take turns, so
that a busy machine slows both; seconds are medians, and the ratio of the two is what counts.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.encode import Case, make_photos
from benchmarks.results import machine, write_section

HERE = Path(__file__).parents[1]
LARGE, MEDIUM = Case("4000×3000", 4000, 3000, 256), Case("1200×800", 1200, 800, 1_500)
SMALL, FEW = Case("400×300", 400, 300, 2_000), Case("600×400", 600, 400, 10)
CASES = (LARGE, MEDIUM, SMALL, FEW)
# Runs a command and writes the most memory it held, in KiB, behind its errors: a process that is as small as this one,
# since the figure would count what its parent held as well.
WATCH = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def measure(checkout: Path, arguments: list[str]) -> tuple[float, float]:
    """Returns (wall time in seconds, most memory in MB) of one command of a checkout."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    command = [sys.executable, "-c", WATCH, sys.executable, "-m", "firstseen", *arguments]
    started = time.perf_counter()
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"firstseen {' '.join(arguments)} in {checkout}: {done.stderr.decode()[-500:]}")
    return time.perf_counter() - started, int(done.stderr.split()[-1]) / 1024


def make_store(checkout: Path, store: Path, photos: Path) -> None:
    """Makes a store that answers from the photos, as this checkout does."""
    place = ["--store", str(store)]
    train = ["train", "--source", str(photos), *place, "--epochs", "1", "--max-photos", "128"]
    for arguments in (
        [*train, "--work-dir", str(store.with_name(f"{store.name}-work"))],
        ["encode", str(photos), *place],
        ["index", *place],
    ):
        measure(checkout, arguments)


def commands(directory: Path) -> dict[str, list[str]]:
    """Returns the commands to time, by what they show; the store is still to be added to those that take one."""
    encode = {
        f"`encode`, {case.photos} photos of {case.name}": ["encode", str(directory / case.name)] for case in CASES
    }
    many, one = str(directory / MEDIUM.name), str(directory / FEW.name / "00000.jpg")
    return encode | {
        f"`lookup`, {MEDIUM.photos} queries": ["lookup", many, "--format", "jsonl"],
        "`lookup`, one query": ["lookup", one, "--format", "jsonl"],
        "`status`": ["status"],
        "`encode --help`": ["encode", "--help"],
        "`--help`": ["--help"],
    }


def compare(checkout: Path, rounds: int) -> list[str]:
    """Returns the rows of the table."""
    with tempfile.TemporaryDirectory(prefix="firstseen-versions-") as name:
        directory, rows = Path(name), []
        for case in CASES:
            make_photos(directory / case.name, case)
        stores = {checkout: directory / "before", HERE: directory / "now"}
        for version, store in stores.items():
            make_store(version, store, directory / MEDIUM.name)
        for what, arguments in commands(directory).items():
            found: dict[Path, list[tuple[float, float]]] = {checkout: [], HERE: []}
            for number in range(rounds if "photos" in what or "queries" in what else 3 * rounds):
                # Whoever is first finds the caches cold: they take turns in that, too.
                for version in (checkout, HERE) if number % 2 else (HERE, checkout):
                    found[version].append(measure_in(version, stores[version], arguments))
            (before, before_mb), (now, now_mb) = (
                map(statistics.median, zip(*found[version], strict=True)) for version in stores
            )
            rows.append(f"| {what} | {before:.2f} | {now:.2f} | {now / before:.2f} | {before_mb:.0f} | {now_mb:.0f} |")
            print(rows[-1], flush=True)
    return rows


def measure_in(checkout: Path, store: Path, arguments: list[str]) -> tuple[float, float]:
    """Measures a command on a store, and removes the run that it may have written."""
    runs = set(store.glob("embeddings/*/*"))
    place = [] if "--help" in arguments else ["--store", str(store)]
    figures = measure(checkout, [*arguments, *place])
    for run in set(store.glob("embeddings/*/*")) - runs:
        shutil.rmtree(run)
    return figures


def main() -> None:
    """Times both checkouts and writes the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    checkout = options.checkout.resolve()
    revision = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    rows = compare(checkout, options.rounds)
    lines = [
        f"`python -m benchmarks.versions CHECKOUT --rounds {options.rounds}` on {machine()}: seconds and MB of "
        f"whole processes, medians, commit {revision} and this version in turns.",
        "",
        f"| command | {revision}, s | this version, s | ratio | {revision}, MB | this version, MB |",
        "|---|---|---|---|---|---|",
        *rows,
    ]
    write_section("Against an earlier version", "\n".join(lines))


if __name__ == "__main__":
    main()
