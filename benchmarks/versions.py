"""Seconds of the same commands by another checkout of firstseen and by this one, in turns.

    python -m benchmarks.versions CHECKOUT [--rounds 5]

CHECKOUT is a clone of the project at another commit; both run in this Python with the same libraries. Every command is
a process of its own, start-up included. The store is made by the other checkout, and both read it. Commands take
turns, so that a busy machine slows both; results are medians, and the ratio of the two is what counts.
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


def seconds(checkout: Path, arguments: list[str]) -> float:
    """Returns the wall time of one command of a checkout."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    started = time.perf_counter()
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "firstseen", *arguments], cwd=checkout, env=environment, capture_output=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"firstseen {' '.join(arguments)} in {checkout}: {done.stderr.decode()[-500:]}")
    return time.perf_counter() - started


def prepare(checkout: Path, directory: Path) -> tuple[Path, dict[str, list[str]]]:
    """Makes photos and a store that answers; returns the store and the commands to time, by what they show."""
    store = directory / "store"
    folders = {case.name: directory / case.name for case in (LARGE, MEDIUM)}
    for case in (LARGE, MEDIUM):
        make_photos(folders[case.name], case)
    train = ["train", "--source", str(folders[MEDIUM.name]), "--store", str(store), "--epochs", "1"]
    seconds(checkout, [*train, "--max-photos", "128", "--work-dir", str(directory / "work")])
    seconds(checkout, ["encode", str(folders[MEDIUM.name]), "--store", str(store)])
    seconds(checkout, ["index", "--store", str(store)])
    place = ["--store", str(store)]
    commands = {
        f"`encode`, {case.photos} photos of {case.name}": ["encode", str(folders[case.name]), *place]
        for case in (LARGE, MEDIUM)
    }
    commands[f"`lookup`, {MEDIUM.photos} queries"] = ["lookup", str(folders[MEDIUM.name]), *place, "--format", "jsonl"]
    commands |= {"`--help`": ["--help"], "`encode --help`": ["encode", "--help"], "`status`": ["status", *place]}
    return store, commands


def measure(checkout: Path, rounds: int) -> list[str]:
    """Returns the rows of the table."""
    with tempfile.TemporaryDirectory(prefix="firstseen-versions-") as name:
        store, commands = prepare(checkout, Path(name))
        rows = []
        for what, arguments in commands.items():
            times: dict[Path, list[float]] = {checkout: [], HERE: []}
            for number in range(rounds if "photos" in what or "queries" in what else 3 * rounds):
                # Whoever is first finds the caches cold: they take turns in that, too.
                for version in (checkout, HERE) if number % 2 else (HERE, checkout):
                    runs = set(store.glob("embeddings/*/*"))
                    times[version].append(seconds(version, arguments))
                    for run in set(store.glob("embeddings/*/*")) - runs:
                        shutil.rmtree(run)
            before, now = (statistics.median(times[version]) for version in (checkout, HERE))
            rows.append(f"| {what} | {before:.2f} | {now:.2f} | {now / before:.2f} |")
            print(rows[-1], flush=True)
    return rows


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
    rows = measure(checkout, options.rounds)
    lines = [
        f"`python -m benchmarks.versions CHECKOUT --rounds {options.rounds}` on {machine()}: seconds of whole "
        f"processes, medians, commit {revision} and this version in turns.",
        "",
        f"| command | {revision} | this version | ratio |",
        "|---|---|---|---|",
        *rows,
    ]
    write_section("Against an earlier version", "\n".join(lines))


if __name__ == "__main__":
    main()
