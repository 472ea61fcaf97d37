"""Encodes the same photos on the local runner and on a Flink cluster of this machine, and once with a kill.

    python -m benchmarks.flink [--photos 3000] [--rounds 3]

The cluster is that of infra/flink, two task managers with a slot each; infra/flink/setup.sh has to have run. All runs
use the shipped encoder and no local features. Rounds are interleaved, so that a busy machine slows all of them; results
are medians. Every run begins with an empty store, and its vectors are compared with those of the first.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyarrow import parquet

from benchmarks.encode import Case, make_photos
from benchmarks.results import machine, write_section
from pipelines.encode.job import EncodeResult, encode
from pipelines.encode.listeners import Listeners
from pipelines.encode.plan import EncodeOptions

SCRIPTS = Path(__file__).parents[1] / "infra" / "flink"
MASTER = "127.0.0.1:8081"
LOCAL: dict[str, Any] = {"runner": "local"}
# By name: the options of each way.
WAYS = {
    "local runner": LOCAL,
    "Flink, 1 worker": {"runner": "flink", "beam_flags": [f"--flink_master={MASTER}", "--parallelism=1"]},
    "Flink, 2 workers": {"runner": "flink", "beam_flags": [f"--flink_master={MASTER}", "--parallelism=2"]},
}


@dataclass(frozen=True)
class Timing:
    """How long one encode took, in seconds: the whole of it, and until the first photos were done."""

    whole: float
    until_first: float
    photos: int
    first_photos: int

    @property
    def rate(self) -> float:
        """Photos per second from the first ones to the end."""
        return (self.photos - self.first_photos) / max(self.whole - self.until_first, 0.001)


def script(*arguments: str) -> str:
    """Runs cluster.sh, and returns what it says."""
    environment = os.environ | {"PYTHON": sys.executable}
    done = subprocess.run(  # noqa: S603 (our own script)
        [SCRIPTS / "cluster.sh", *arguments], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


@contextmanager
def cluster() -> Iterator[None]:
    """Brings the cluster up, and down when the block ends."""
    script("up")
    try:
        yield
    finally:
        script("down")


def timed(archive: Path, store: Path, options: dict[str, Any]) -> tuple[EncodeResult, Timing]:
    """Encodes the archive into a new store."""
    seen: list[tuple[float, int]] = []
    started = time.perf_counter()
    result = encode(
        EncodeOptions(archive=str(archive), store=str(store), features="none", **options),
        Listeners(on_progress=lambda photos, done, rejected: seen.append((time.perf_counter() - started, done))),
    )
    whole = time.perf_counter() - started
    # A cluster is looked at every few seconds: a short job is over before the first look.
    until_first, first_photos = next(((at, done) for at, done in seen if done), (whole, result.accounting.photos))
    return result, Timing(whole, until_first, result.accounting.photos, first_photos)


def vectors_of(result: EncodeResult, store: Path) -> dict[bytes, list[float]]:
    """Returns the vector of each content of a run; workers that meet the same content each write a row of it."""
    folder = store / result.run.directory
    rows = [row for name in result.run.shards for row in parquet.read_table(folder / name).to_pylist()]
    vectors = {row["content_sha256"]: row["embedding"] for row in rows}
    assert all(vectors[row["content_sha256"]] == row["embedding"] for row in rows)
    return vectors


def kill_one(store: Path, photos: int, told: dict[str, float]) -> None:
    """Kills a task manager when a third of the photos are done, and starts another one 5 s later."""
    while (done := chunks_done(store)) < photos / 3:
        time.sleep(0.05)
    os.kill(int(script("pid", "taskmanager-1")), signal.SIGKILL)
    told.update(at=time.perf_counter(), done=done)
    time.sleep(5)
    script("start", "taskmanager-1")


def chunks_done(store: Path) -> int:
    """Returns how many photos are in chunks that are done."""
    paths = store.glob("embeddings/*/*/outcomes/*.parquet")
    return sum(parquet.read_metadata(path).num_rows for path in paths)


def killed(archive: Path, store: Path, photos: int) -> tuple[EncodeResult, dict[str, float]]:
    """Encodes with two workers, one of which loses its task manager."""
    told: dict[str, float] = {}
    thread = threading.Thread(target=kill_one, args=(store, photos, told), daemon=True)
    thread.start()
    result, timing = timed(archive, store, WAYS["Flink, 2 workers"])
    told.update(whole=timing.whole, after=time.perf_counter() - told["at"])
    thread.join()
    return result, told


def main() -> None:
    """Measures every way, and writes the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    case = Case("made", 640, 480, arguments.photos)
    timings: dict[str, list[Timing]] = {name: [] for name in WAYS}
    loads: list[float] = []
    with tempfile.TemporaryDirectory(prefix="firstseen-benchmark-") as name, cluster():
        folder = Path(name)
        make_photos(folder / "archive", case)
        timed(folder / "archive", folder / "warm-up", LOCAL)
        expected: dict[bytes, list[float]] = {}
        for number in range(arguments.rounds):
            for way, options in WAYS.items():
                store = folder / f"{way}-{number}"
                result, timing = timed(folder / "archive", store, options)
                vectors = vectors_of(result, store)
                expected = expected or vectors
                assert vectors == expected
                timings[way].append(timing)
                loads.append(os.getloadavg()[0])
                print(way, timing, f"load {loads[-1]:.1f}", flush=True)
        result, told = killed(folder / "archive", folder / "killed", case.photos)
        assert vectors_of(result, folder / "killed") == expected
        print(told, flush=True)
    write_section("Encode on Flink", "\n".join(lines_of(arguments, timings, loads, told)))


def lines_of(
    arguments: argparse.Namespace, timings: dict[str, list[Timing]], loads: list[float], told: dict[str, float]
) -> list[str]:
    """Returns the section."""
    medians = {
        way: [
            statistics.median(values) for values in zip(*((t.whole, t.until_first, t.rate) for t in ran), strict=True)
        ]
        for way, ran in timings.items()
    }
    local = medians["local runner"]
    table = [
        f"| {way} | {whole:.1f} | {first:.1f} | {arguments.photos / whole:.0f} | {rate:.0f} | {whole / local[0]:.2f} "
        f"| {rate / local[2]:.2f} |"
        for way, (whole, first, rate) in medians.items()
    ]
    return [
        f"`python -m benchmarks.flink --photos {arguments.photos} --rounds {arguments.rounds}` on {machine()}: "
        f"{arguments.photos:,} made photos of 640×480, the shipped encoder, no local features, Flink 1.19.3 with two "
        "task managers of a slot each on the same machine (load average, these runs included: "
        f"{min(loads):.0f} to {max(loads):.0f}). Medians. Start: until the first photos are done. Past it: photos per "
        "second from there to the end; on Flink, progress is looked at every 5 s. The vectors of all runs were equal.",
        "",
        "| runner | s | start, s | photos/s | past start | time / local | past start / local |",
        "|---|---|---|---|---|---|---|",
        *table,
        "",
        f"Task manager 1 killed with SIGKILL with {told['done']:.0f} photos done, and started again 5 s later: the job "
        f"ended {told['after']:.0f} s after the kill, {told['whole']:.0f} s in all, with the same vectors.",
    ]


if __name__ == "__main__":
    main()
