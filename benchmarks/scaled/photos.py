"""Encodes archives of a thousand to a hundred thousand photos by the command line, and watches time and memory."""

import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from benchmarks.reindex import make_photos, read_sources, watch_memory
from benchmarks.scaled.figures import Figure
from foundation.files import replace_file

# How often it is written down how long a run has taken so far: one that is cut off goes on, and so does its clock.
NOTED_SECONDS = 5
SOURCES = 500


def write_photos(folder: str, data: str, photos: int, side: int) -> Figure:
    """Writes JPEGs of real photos in other frames, their longest side of at most so many pixels; each is distinct."""
    place = archive_of(folder, photos, side)
    shutil.rmtree(place, ignore_errors=True)
    sources = [_resized(one, side) for one in read_sources(Path(data, "photos"), SOURCES)]
    make_photos(place, sources, photos)
    return {"disk_bytes": size_of(place)}


def archive_of(folder: str, photos: int, side: int) -> Path:
    """Returns the folder of so many photos of that size."""
    return Path(folder, "archives", f"{photos}-{side}")


def _resized(photo: np.ndarray, side: int) -> np.ndarray:
    share = side / max(photo.shape[:2])
    return cv2.resize(photo, None, fx=share, fy=share, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC)


def size_of(place: Path) -> int:
    """Returns the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())


def encode(folder: str, photos: int, side: int, features: str) -> Figure:
    """Encodes an archive into a store of its own; goes on with a run that was cut off."""
    store = store_of(folder, photos, side, features)
    told = ["encode", str(archive_of(folder, photos, side)), "--store", str(store), "--features", features]
    return {**_watched([*told, "--max-rejects", "1"], store), "disk_bytes": size_of(store / "embeddings")}


def index(folder: str, photos: int, side: int, features: str) -> Figure:
    """Indexes what was encoded."""
    store = store_of(folder, photos, side, features)
    found = _watched(["index", "--store", str(store)], store.with_name(f"{store.name}-index"))
    return {**found, "disk_bytes": size_of(store / "segments")}


def lookup(folder: str, data: str, photos: int, side: int, queries: int) -> Figure:
    """Looks up photos that the archive does not hold, which get a closer look: what a lookup costs beside searching."""
    store, asked = store_of(folder, photos, side, "local"), Path(folder, "archives", "asked")
    shutil.rmtree(asked, ignore_errors=True)
    asked.mkdir(parents=True)
    paths = sorted(Path(data, "photos").rglob("*.jpg"))
    strangers = [path for number, path in enumerate(paths) if number % max(1, len(paths) // SOURCES)]
    for number, path in enumerate(strangers[:: len(strangers) // queries][:queries]):
        shutil.copy(path, asked / f"{number:04d}.jpg")
    output = store.with_name(f"{store.name}-answers.jsonl")
    few = _watched(["lookup", str(asked / "0000.jpg"), "--store", str(store), "--output", str(output)], output)
    output.unlink()
    many = _watched(["lookup", str(asked), "--store", str(store), "--output", str(output)], output)
    each = {
        name: round(1e3 * (many[clock] - few[clock]) / (queries - 1), 2)
        for name, clock in (("ms", "seconds"), ("processor_ms", "processor_seconds"))
    }
    answers = [json.loads(line) for line in output.read_text().splitlines()]
    output.unlink()
    return {
        **many,
        "opening_seconds": few["seconds"],
        **each,
        "answered": sum(one["status"] == "matched" for one in answers),
    }


def remove(folder: str, photos: int, side: int, features: str) -> None:
    """Removes the store of an archive."""
    shutil.rmtree(store_of(folder, photos, side, features), ignore_errors=True)


def store_of(folder: str, photos: int, side: int, features: str) -> Path:
    """Returns the store that an archive is encoded into."""
    return Path(folder, "stores", f"{photos}-{side}-{features}")


def _children_seconds() -> float:
    """Returns the processor seconds of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _watched(told: list[str], store: Path) -> Figure:
    """Runs a command of ours; returns seconds and the greatest memory of all of its processes together."""
    notes = store.with_name(f"{store.name}.json")
    before = json.loads(notes.read_text()) if notes.exists() else {"seconds": 0.0, "attempts": 0}
    started, busy = time.perf_counter(), _children_seconds()
    process = subprocess.Popen([sys.executable, "-m", "firstseen", *told], stderr=subprocess.DEVNULL)  # noqa: S603
    samples = watch_memory(process.pid)
    while True:
        try:
            code = process.wait(NOTED_SECONDS)
            break
        except subprocess.TimeoutExpired:
            seconds = before["seconds"] + time.perf_counter() - started
            note = {**before, "seconds": seconds, "attempts": before["attempts"] + 1}
            replace_file(notes, json.dumps(note).encode())
    if code:
        raise SystemExit(f"firstseen {' '.join(told)} ended with exit code {code}")
    notes.unlink(missing_ok=True)
    return {
        "seconds": round(before["seconds"] + time.perf_counter() - started, 2),
        "processor_seconds": round(_children_seconds() - busy, 2),
        "peak_bytes": round(1e6 * max((megabytes for _, megabytes in samples()), default=0)),
        "attempts": before["attempts"] + 1,
    }
