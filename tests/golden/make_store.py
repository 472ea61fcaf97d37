"""Makes a golden store with the present program: run it before a contract changes its version.

    python -m tests.golden.make_store tests/golden/version-N /tmp/archives

It goes the way of the command line, so that what it makes is what a user's store holds.
"""

import os
import shutil
import sys
from pathlib import Path

import cv2

from firstseen.commands.running import run
from tests.photos import jpeg, noise, write_archive, write_catalog

# Small enough to lie in the repository: of two megabytes the local features that a tree needs take most.
TINY = ["--size", "8", "--latent-dim", "16", "--epochs", "1", "--batch-size", "8"]
TINY_LAYERS = ["--set", "filters=4", "--set", "halvings=2"]
LOOKUP = ["--store", "../store", "--top-k", "3", "--format", "jsonl"]


def main(folder: Path, archives: Path) -> None:
    """Writes `store`, `queries` and `answers.jsonl` into a new folder; the archives are made in another one."""
    store = folder / "store"
    folder.mkdir(parents=True)
    first, second = make_archives(archives)
    dates = write_dates(archives / "catalog.csv", first)
    work = ["--work-dir", str(archives / "training")]
    command("train", "--source", str(first), "--store", str(store), *TINY, *TINY_LAYERS, *work)
    # One broken file of 38 is the reject that the run is meant to have.
    command("encode", str(first), "--store", str(store), "--catalog", str(dates), "--max-rejects", "0.1")
    command("index", "--store", str(store), "--exact-below", "16")  # ScaNN takes no fewer rows
    command("encode", str(second), "--store", str(store), "--dtype", "float16")
    command("index", "--store", str(store))
    write_queries(folder / "queries", first)
    write_answers(folder)


def command(*arguments: str) -> None:
    """Runs one command as a user would; leaves at the first that fails."""
    if code := run(list(arguments)):
        raise SystemExit(code)


def make_archives(archives: Path) -> tuple[Path, Path]:
    """Writes an archive of 36 photos, an exact duplicate and a file that is no photo, and a second one of 6 photos.

    Their pictures are full of corners: 36 of them have the 5,000 local features that are not searched without a tree.
    """
    first, second = archives / "first", archives / "second"
    paths = write_archive(first, photos=36, picture=noise)
    shutil.copyfile(paths[0], first / "2019" / "again.jpg")
    (first / "2019" / "broken.jpg").write_bytes(b"<!doctype html>")
    write_archive(second, photos=6, first_seed=500, picture=noise)
    return first, second


def write_dates(path: Path, archive: Path) -> Path:
    """Writes a catalog with a date, a caption and a credit for every file of the archive."""
    names = [str(file.relative_to(archive)) for file in sorted(archive.rglob("*.jpg"))]
    rows = [
        {
            "photo_id": name,
            "published_at": f"{2010 + number % 15}-0{1 + number % 9}-01",
            "caption": f"Scene {number}",
            "credit": "Desk",
            "source": "golden",
        }
        for number, name in enumerate(names)
    ]
    return write_catalog(path, rows)


def write_queries(folder: Path, archive: Path) -> None:
    """Writes two photos of the archive as they are, one of them the duplicate, and four edited ones."""
    folder.mkdir()
    shutil.copyfile(archive / "2019" / "photo-000.jpg", folder / "duplicate.jpg")
    shutil.copyfile(archive / "2019" / "photo-003.jpg", folder / "unedited.jpg")
    (folder / "brightened.jpg").write_bytes(jpeg(cv2.convertScaleAbs(noise(5), alpha=1.2), quality=60))
    (folder / "cropped.jpg").write_bytes(jpeg(noise(6)[20:130, 30:160], quality=80))
    (folder / "mirrored.jpg").write_bytes(jpeg(noise(7)[:, ::-1], quality=80))
    (folder / "of-second-segment.jpg").write_bytes(jpeg(noise(502), quality=50))


def write_answers(folder: Path) -> None:
    """Looks the queries up by their bare names: the answers name no place on this machine."""
    before = Path.cwd()
    os.chdir(folder / "queries")
    try:
        command("lookup", *sorted(os.listdir()), *LOOKUP, "--output", "../answers.jsonl")
    finally:
        os.chdir(before)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
