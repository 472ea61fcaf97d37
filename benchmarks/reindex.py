"""What a night costs: re-indexing an archive after little has changed, against encoding all of it.

    python -m benchmarks.reindex [--photos 20000] [--archive FOLDER]

Each night is a fresh process of the command line, so that its start counts. The archive is made of the photos of a
folder, or of scikit-image's, re-encoded again and again with another frame and quality: every file is another content.
Memory is the greatest sum over the process and its children, sampled; what does not grow is measured with few photos.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks.results import machine, write_section
from foundation.store.encoders import list_encoders
from foundation.store.files import Store
from foundation.store.runs import RUN_DESCRIPTION, Accounting, Run, list_runs, read_run

SAMPLE_SECONDS = 0.1
# Written long ago: a file of this second is read again in the next night, since it may have been written twice in it.
WRITTEN = 1_600_000_000
FEW_PHOTOS, SOME_PHOTOS = 64, 1_000
PATIENCE_SECONDS = 7_200


@dataclass(frozen=True)
class Night:
    """What one night came to: seconds, peaks of memory in megabytes, and what became of the photos.

    The peak of encoding lasts until the run is written down, that of indexing is what comes after; 0 without a new run.
    """

    name: str
    seconds: float
    encode_mb: float
    index_mb: float
    counts: Accounting


def make_photos(folder: Path, sources: Sequence[np.ndarray], count: int, *, first: int = 0) -> None:
    """Writes JPEGs `NNNNNN.jpg`, spread over folders of a hundred; each is another frame of a source, at its size."""
    for number in range(first, first + count):
        source = sources[number % len(sources)]
        generator = np.random.default_rng(number)
        height, width = source.shape[:2]
        top, left, bottom, right = (
            int(side * share)
            for side, share in zip((height, width, height, width), generator.uniform(0, 0.08, 4), strict=True)
        )
        frame = source[top : height - bottom, left : width - right]
        path = folder / f"{number // 100:04d}" / f"{number:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), frame, [cv2.IMWRITE_JPEG_QUALITY, int(generator.integers(70, 95))])
        os.utime(path, (WRITTEN, WRITTEN))


def read_sources(folder: Path | None, most: int = 500) -> list[np.ndarray]:
    """Returns photographs uint8 [height, width, 3]: some of a folder, or those that come with scikit-image."""
    if folder is None:
        from skimage import data

        return [
            cv2.cvtColor(one, cv2.COLOR_RGB2BGR)
            for one in (data.astronaut(), data.coffee(), data.chelsea(), data.rocket())
        ]
    paths = sorted(folder.rglob("*.jpg"))
    return [one for one in (cv2.imread(str(path)) for path in paths[:: max(1, len(paths) // most)]) if one is not None]


def add(archive: Path, sources: Sequence[np.ndarray], count: int) -> None:
    """Adds photos that were not there."""
    make_photos(archive, sources, count, first=1 + max(int(path.stem) for path in archive.rglob("*.jpg")))


def change(archive: Path, sources: Sequence[np.ndarray], count: int) -> None:
    """Puts other photos in the place of some."""
    for number, path in enumerate(every(archive, count)):
        cv2.imwrite(
            str(path), cv2.flip(sources[number % len(sources)], 0), [cv2.IMWRITE_JPEG_QUALITY, 40 + number % 50]
        )
        os.utime(path, (WRITTEN + 1, WRITTEN + 1))


def rename(archive: Path, count: int) -> None:
    """Gives some photos another name, in another folder."""
    (archive / "moved").mkdir()
    for path in every(archive, count):
        path.rename(archive / "moved" / path.name)


def remove(archive: Path, count: int) -> None:
    """Removes some photos."""
    for path in every(archive, count):
        path.unlink()


def every(archive: Path, count: int) -> list[Path]:
    """Returns so many photos of an archive, spread evenly over it."""
    paths = sorted(archive.rglob("*.jpg"))
    return [paths[round(number * len(paths) / count)] for number in range(count)]


def reindex(name: str, archive: Path, store: Path) -> Night:
    """Runs one night in a fresh process."""
    command = [sys.executable, "-m", "firstseen", "reindex", str(archive), "--store", str(store), "--max-rejects", "1"]
    before = latest_run(store)
    started = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 (our own command)
    samples = watch_memory(process.pid)
    code = process.wait(PATIENCE_SECONDS)
    seconds = time.perf_counter() - started
    if code:
        raise SystemExit(f"{' '.join(command)} ended with exit code {code}")
    run = latest_run(store)
    assert run
    is_new = run != before
    counts = run.accounting
    encoded_at = (store / run.directory / RUN_DESCRIPTION).stat().st_mtime if is_new else time.time()
    night = Night(
        name,
        seconds,
        encode_mb=max(megabytes for at, megabytes in samples() if at <= encoded_at),
        index_mb=max((megabytes for at, megabytes in samples() if at > encoded_at), default=0),
        counts=counts if is_new else replace(counts, embedded=0, duplicates=0, renamed=0, unchanged=counts.listed),
    )
    print(night, flush=True)
    return night


def latest_run(store: Path) -> Run | None:
    """Returns the last run of a store."""
    opened = Store(store, create=True)
    runs = [read_run(opened, one, name)[0] for one in list_encoders(opened) for name in list_runs(opened, one)]
    return max(runs, key=lambda run: run.generation, default=None)


def watch_memory(pid: int) -> Callable[[], list[tuple[float, float]]]:
    """Samples the memory of a process and its children until it ends; returns what gives (time, megabytes)."""
    samples = []

    def sample() -> None:
        while (now := memory_of(pid)) is not None:
            samples.append((time.time(), now))
            time.sleep(SAMPLE_SECONDS)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()

    def result() -> list[tuple[float, float]]:
        thread.join()
        return samples

    return result


def memory_of(pid: int) -> float | None:
    """Returns the megabytes that a process and its children share among themselves, or None once it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        own = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1_000
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += [] if task.name == str(pid) else (task / "children").read_text().split()
    except (OSError, ValueError):
        return None
    return own + sum(memory_of(int(child)) or 0 for child in children)


def measure(photos: int, sources: Sequence[np.ndarray], folder: Path) -> list[Night]:
    """Returns the nights of an archive of so many photos, the first one first."""
    archive, store = folder / "archive", folder / "store"
    make_photos(archive, sources, photos)
    hundredth = max(1, photos // 100)
    nights = [reindex("everything is new", archive, store), reindex("nothing changed", archive, store)]
    for name, happens in (
        ("1 % new", lambda: add(archive, sources, hundredth)),
        ("1 % changed", lambda: change(archive, sources, hundredth)),
        ("10 % renamed", lambda: rename(archive, 10 * hundredth)),
        ("5 % removed", lambda: remove(archive, 5 * hundredth)),
    ):
        happens()
        nights.append(reindex(name, archive, store))
    return nights


def first_night(photos: int, sources: Sequence[np.ndarray], folder: Path) -> Night:
    """Returns the first night of an archive of so many photos, which is removed again."""
    make_photos(folder / "archive", sources, photos)
    night = reindex(f"{photos:,} photos, all new", folder / "archive", folder / "store")
    shutil.rmtree(folder)
    return night


def table(nights: Sequence[Night], few: Night, some: Night) -> str:
    """Returns the section of the results."""
    full = nights[0]
    lines = [
        f"{full.counts.listed:,} photos, each night a fresh process; {machine()}.",
        "",
        "| night | photos embedded | seconds | share of the first night | peak MB, encoding | peak MB, indexing |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.name} | {one.counts.embedded:,} | {one.seconds:.1f} | {one.seconds / full.seconds:.2%} "
        f"| {one.encode_mb:,.0f} | {one.index_mb:,.0f} |"
        for one in nights
    ]
    lines += [
        "",
        f"Memory of a first night, with {' / '.join(f'{one.counts.listed:,}' for one in (few, some, full))} photos: "
        f"encoding {' / '.join(f'{one.encode_mb:,.0f}' for one in (few, some, full))} MB, "
        f"{full.encode_mb / some.encode_mb:.2f} times as much for {full.counts.listed / some.counts.listed:.0f} times "
        f"the photos; indexing {' / '.join(f'{one.index_mb:,.0f}' for one in (few, some, full))} MB, in the same "
        "process. That grows until the trees over local features are full, with about 28,000 photos, and with the "
        "matrix of the vectors: see *Index*.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measures, prints and writes the section of benchmarks/RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=20_000)
    parser.add_argument("--archive", type=Path, help="a folder of JPEGs to make the photos of")
    parser.add_argument("--output", type=Path, help="JSON file for the figures")
    options = parser.parse_args()
    sources = read_sources(options.archive)
    with tempfile.TemporaryDirectory(prefix="firstseen-") as directory:
        folder = Path(directory)
        few = first_night(FEW_PHOTOS, sources, folder / "few")
        some = first_night(min(SOME_PHOTOS, options.photos), sources, folder / "some")
        nights = measure(options.photos, sources, folder / "nights")
    if options.output:
        options.output.write_text(
            json.dumps([vars(night) | {"counts": vars(night.counts)} for night in nights], indent=1)
        )
    body = table(nights, few, some)
    print(body)
    write_section("Re-indexing", body)


if __name__ == "__main__":
    main()
