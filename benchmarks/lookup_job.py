"""Photos per second of a lookup by a job, stage by stage, against the lookup in one process; and a million queries.

    python -m benchmarks.lookup_job --photos FOLDER --folder WORK [--queries 4000] [--distinct 1000] …

Two thirds of the photos are the archive. Looked up are all of them, crops of the archive's, and copies saved smaller:
each of these distinct photos as often as it takes, in a random order, named in an inventory. Everything lies in WORK:
what is there is not made again, and a lookup that was cut off after so many minutes goes on with the next call.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from benchmarks.results import machine, write_section
from foundation.archives.uris import uri_of

LOOK_EVERY_SECONDS = 0.2
# The exit code of a command that was interrupted.
INTERRUPTED = 130
STAGES = {
    "prepared": "read, decode, encode, features",
    "found": "search",
    "wanted": "merge, votes",
    "fetched": "fetch",
    "answers": "compare, answer",
}


@dataclass
class Run:
    """What one lookup took: seconds of the wall clock over all attempts, the peak memory of a process, the attempts."""

    queries: int
    seconds: float = 0.0
    attempts: int = 0
    peak_gb: float = 0.0
    stages: dict[str, float] | None = None


def make_store(folder: Path, photos: list[Path], segments: int) -> Path:
    """Copies photos into an archive, encodes and indexes them; returns the store."""
    archive, store = folder / "archive", folder / "store"
    if not (folder / "indexed").exists():
        for number, path in enumerate(photos):
            target = archive / f"{number % 20:02d}" / f"{number:05d}{path.suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        firstseen("encode", str(archive), "--store", str(store))
        firstseen("index", "--store", str(store), "--max-segment-rows", str(-(-len(photos) // segments)))
        (folder / "indexed").touch()
    return store


def make_queries(folder: Path, photos: list[Path], archived: int) -> list[Path]:
    """Writes the distinct photos that are looked up: all as they are, crops and smaller copies of the archive's.

    They come in a random order, the same each time.
    """
    queries = folder / "asked"
    if not (folder / "edited").exists():
        queries.mkdir(exist_ok=True)
        for number, path in enumerate(photos):
            shutil.copy(path, queries / f"{number:05d}-same{path.suffix}")
            pixels = cv2.imread(str(path))
            if number >= archived or pixels is None:
                continue
            height, width = pixels.shape[:2]
            crop = pixels[height // 8 : -(height // 6), width // 5 : -(width // 10)]
            smaller = cv2.resize(pixels, (3 * width // 4, 3 * height // 4), interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(queries / f"{number:05d}-crop.jpg"), crop, [cv2.IMWRITE_JPEG_QUALITY, 80])
            cv2.imwrite(str(queries / f"{number:05d}-smaller.jpg"), smaller, [cv2.IMWRITE_JPEG_QUALITY, 75])
        (folder / "edited").touch()
    paths = sorted(queries.iterdir())
    random.Random(3).shuffle(paths)  # noqa: S311 (no secret)
    return paths


def make_inventory(folder: Path, distinct: list[Path], queries: int) -> Path:
    """Writes an inventory of so many queries, of each distinct photo equally many, in a random order."""
    path = folder / f"queries-{queries}-{len(distinct)}.parquet"
    if not path.exists():
        names = [uri_of(distinct[number % len(distinct)]) for number in range(queries)]
        random.Random(0).shuffle(names)  # noqa: S311 (no secret)
        parquet.write_table(pa.table({"uri": names}), path)
    return path


def firstseen(*arguments: str) -> None:
    """Runs a command to its end."""
    subprocess.run([sys.executable, "-m", "firstseen", *arguments], check=True)  # noqa: S603 (this very program)


def look_up(run: Run, state: Path, *arguments: str, seconds: float = float("inf")) -> bool:
    """Looks up, adds what it took to the run and writes that down; returns whether it came to its end in time."""
    command = [sys.executable, "-m", "firstseen", "--log-format", "json", "lookup", *arguments]
    started, log = time.monotonic(), state.with_suffix(".log")
    with log.open("w") as told:
        process = subprocess.Popen(command, stderr=told)  # noqa: S603 (this very program)
        ended = status = 0
        while not ended:
            time.sleep(LOOK_EVERY_SECONDS)
            # The peak of this process alone; of its workers, that of the largest.
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
            if time.monotonic() - started > seconds:
                process.send_signal(signal.SIGINT)
    run.seconds += time.monotonic() - started
    run.attempts += 1
    run.peak_gb = max(run.peak_gb, used.ru_maxrss * 1024 / 1e9)
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    run.stages = next((line["seconds"] for line in lines if "time of all workers" in line["event"]), run.stages)
    state.write_text(json.dumps(asdict(run)))
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, INTERRUPTED, -signal.SIGINT):
        raise SystemExit(f"{' '.join(command)} ended with {code}; see {log}")
    return code == 0


def compare(folder: Path, store: Path, distinct: list[Path], queries: int) -> list[Run]:
    """Looks the same distinct photos up in one process and by a job, and holds the answers against each other."""
    inventory = folder / f"compared-{queries}.parquet"
    chosen = random.Random(1).sample(distinct, min(queries, len(distinct)))  # noqa: S311 (no secret)
    parquet.write_table(pa.table({"uri": [uri_of(one) for one in chosen]}), inventory)
    runs, found = [], []
    for name, flags in (("here", ()), ("job", ("--runner", "local"))):
        state, output = folder / f"{name}-{queries}.json", folder / f"{name}-{queries}.jsonl"
        run = Run(**json.loads(state.read_text())) if output.exists() else Run(len(chosen))
        if not output.exists():
            look_up(run, state, str(inventory), "--store", str(store), "--output", str(output), *flags)
        runs.append(run)
        found.append(output.read_bytes())
    if found[0] != found[1]:
        raise SystemExit(
            f"the answers in {folder}/here-{queries}.jsonl and job-{queries}.jsonl differ; expected the same bytes"
        )
    return runs


def look_up_all(folder: Path, store: Path, inventory: Path, *, minutes: float, workers: int) -> tuple[Run, Path]:
    """Looks the inventory up by a job, or goes on with it; ends the program if the time is not enough.

    Returns what it took, and the file of answers.
    """
    name = f"{inventory.stem}-{workers}"
    state, output = folder / f"run-{name}.json", folder / f"answers-{name}.parquet"
    queries = parquet.read_metadata(inventory).num_rows
    run = Run(**json.loads(state.read_text())) if state.exists() else Run(queries)
    flags = ["--runner", "local", "--workers", str(workers), "--output", str(output)]
    if output.exists():
        return run, output
    if not look_up(run, state, str(inventory), "--store", str(store), *flags, seconds=60 * minutes):
        raise SystemExit(f"{run.seconds:,.0f} s so far, and not done: run it again, and it goes on")
    return run, output


def report(runs: list[Run], whole: Run, *, distinct: int, archived: int, segments: int, output: Path) -> str:
    """Returns the section of the results."""
    here, job = (run.queries / run.seconds for run in runs)
    answers = parquet.read_table(output, columns=["status", "rank"])
    is_first = pc.or_kleene(pc.is_null(answers["rank"]), pc.equal(answers["rank"], 1))
    counts = answers.filter(is_first)["status"].value_counts().to_pylist()
    statuses = ", ".join(f"{one['counts']:,} {one['values']}" for one in counts)
    lines = [
        f"Archive of {archived:,} photographs in {segments} segments. {runs[0].queries:,} distinct queries, each a "
        f"photo, a crop or a smaller copy: in one process {here:.1f} photos/s, by a job {job:.1f} photos/s, start-up "
        f"included; peak memory {runs[0].peak_gb:.1f} and {runs[1].peak_gb:.1f} GB; the same bytes of JSON Lines.",
        "",
        f"{whole.queries:,} queries, {min(distinct, whole.queries):,} of them distinct, by a job: "
        f"{whole.seconds:,.0f} s (attempts: {whole.attempts}), {whole.queries / whole.seconds:,.1f} photos/s, peak "
        f"memory {whole.peak_gb:.1f} GB; {statuses}. Seconds of all workers together:",
        "",
        "| stage | s | queries/s | distinct photos/s |",
        "|---|---:|---:|---:|",
    ]
    for stage, name in STAGES.items():
        seconds = (whole.stages or {}).get(stage, 0.0)
        rates = [count / seconds if seconds else 0.0 for count in (whole.queries, min(distinct, whole.queries))]
        lines.append(f"| {name} | {seconds:,.1f} | {rates[0]:,.1f} | {rates[1]:,.1f} |")
    return "\n".join(lines)


def main() -> None:
    """Makes what is missing, measures, and writes the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="a folder of different photographs")
    parser.add_argument("--folder", type=Path, required=True, help="where all of it lies; used again if it is there")
    parser.add_argument("--queries", type=int, default=4_000)
    parser.add_argument("--compare", type=int, default=400, help="distinct queries that both ways look up")
    parser.add_argument("--distinct", type=int, help="so many different photos among the queries, at most")
    parser.add_argument("--segments", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600, help="the long lookup is cut off then, and goes on later")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    photos = sorted(path for path in asked.photos.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    archived = 2 * len(photos) // 3
    random.Random(2).shuffle(photos)  # noqa: S311 (no secret)
    store = make_store(asked.folder, photos[:archived], asked.segments)
    distinct = make_queries(asked.folder, photos, archived)
    runs = compare(asked.folder, store, distinct, asked.compare)
    distinct = distinct[: asked.distinct]
    inventory = make_inventory(asked.folder, distinct, asked.queries)
    whole, output = look_up_all(asked.folder, store, inventory, minutes=asked.minutes, workers=asked.workers)
    text = report(runs, whole, distinct=len(distinct), archived=archived, segments=asked.segments, output=output)
    flags = f"--queries {asked.queries} --distinct {len(distinct)} --workers {asked.workers}"
    command = f"`python -m benchmarks.lookup_job {flags}`"
    write_section("Lookup by a job", f"{command} on {machine()}, local runner, the shipped encoder. {text}")
    print(text)


if __name__ == "__main__":
    main()
