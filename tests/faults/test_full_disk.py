"""Disks that are full at every write of a command: one clear line, exit code 75, and the store answers as before."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firstseen.commands.running import run
from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.ignored import read_ignored
from foundation.store.retractions import read_retractions
from foundation.store.segments import read_segment, segment_directory
from foundation.store.snapshots import read_snapshot, snapshot_numbers
from foundation.store.watched import list_watched
from tests.faults.trials import rows_of
from tests.firstseen.desk import one_error_line
from tests.nights import Nights, make_nights
from tests.photos import jpeg, scene

# What a file takes at least, of a disk of so many.
PAGE, PAGES = os.sysconf("SC_PAGE_SIZE"), 1_024
PHOTOS = 8
VERBS = ("encode", "index", "reindex", "compact", "retract", "ignore", "watch")
# Those that work in files of the temporary folder.
LARGE = ("encode", "index", "reindex", "compact")
FULL = [*((verb, "store") for verb in VERBS), *((verb, "temporary") for verb in LARGE)]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of some megabytes."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    size = f"size={PAGE * PAGES}"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.decode().strip()}")
    yield folder
    # Lazily: a table that was read from it may be open until it is collected.
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """An archive after two nights, in two segments, and with what a day brings since."""
    nights = make_nights(tmp_path, monkeypatch)
    for number in range(PHOTOS):
        nights.put(f"{number}.jpg", number)
    nights.night()
    nights.put("new.jpg", 20)
    nights.night()
    return nights


def changed(nights: Nights) -> None:
    """Photos come, one changes, one moves, one goes."""
    for number in range(30, 34):
        nights.put(f"{number}.jpg", number)
    nights.put("1.jpg", 40)
    nights.path("2.jpg").rename(nights.path("moved.jpg"))
    nights.path("3.jpg").unlink()


def arguments_of(verb: str, nights: Nights) -> list[str]:
    """Returns a command that has something to do."""
    query = nights.folder / "query.jpg"
    query.write_bytes(jpeg(scene(50, width=320, height=240)))
    if verb in ("encode", "index", "reindex"):
        changed(nights)
    if verb == "index":
        nights.encode()
    return {
        "encode": ["encode", str(nights.path(".")), "--features", "none"],
        "index": ["index"],
        "reindex": ["reindex", str(nights.path(".")), "--features", "none"],
        "compact": ["compact", "--all"],
        "retract": ["retract", "0.jpg", "--why", "a court order"],
        "ignore": ["ignore", "add", str(query)],
        "watch": ["watch", "add", str(query), "--keep-photo"],
    }[verb]


def state_of(store: Path) -> tuple[Any, ...]:
    """Returns what a store answers, and what its lists say; every file of its live segments is whole."""
    opened = Store(store)
    for reference in read_snapshot(opened).segments:
        files = read_segment(opened, reference).files
        artifact.verify_files(opened, segment_directory(reference.segment_id), files)
    withdrawn = [photo.photo_id for one in read_retractions(opened) for photo in one.photos]
    ignored = [one.photo and one.photo.name for one in read_ignored(opened)]
    watched, damaged = list_watched(opened)
    assert not damaged
    return rows_of(str(store)), withdrawn, ignored, [one.query for one in watched]


def fill(disk: Path, *, but: int) -> Path:
    """Fills a disk but for some pages, and returns the file that does."""
    filler, free = disk / "filler", os.statvfs(disk)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, (free.f_bavail - but) * free.f_frsize))
    return filler


@pytest.mark.parametrize(("verb", "full"), FULL)
def test_a_full_disk_at_every_write(
    settled: Nights,
    tiny_disk: Path,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
    full: str,
) -> None:
    """A page of room more each time, until the command comes to its end: then it is as if there had been enough."""
    arguments = arguments_of(verb, settled)
    at_first = settled.store.local_root
    undisturbed = Path(shutil.copytree(at_first, settled.folder / "undisturbed"))
    assert run([*arguments, "--store", str(undisturbed)]) == 0
    before, after = state_of(at_first), state_of(undisturbed)
    store = Path(shutil.copytree(at_first, tiny_disk / "store")) if full == "store" else at_first
    if full == "temporary":
        monkeypatch.setattr(tempfile, "tempdir", str(tiny_disk))
    capsys.readouterr()
    failed = 0
    for pages in range(PAGES):
        filler = fill(tiny_disk, but=pages)
        code = run([*arguments, "--store", str(store)])
        filler.unlink()
        if code == 0:
            break
        line = one_error_line(capsys)
        assert (code, "No space left on device" in line, "free some space" in line) == (75, True, True), line
        failed += 1
        assert state_of(store) in (before, after)
    assert failed
    if verb == "encode":
        for one in (store, undisturbed):
            assert run(["index", "--store", str(one)]) == 0
        after = state_of(undisturbed)
    assert state_of(store) == after


def test_gc_needs_no_room(settled: Nights, tiny_disk: Path) -> None:
    """It is what a full disk is made empty with."""
    store = Path(shutil.copytree(settled.store.local_root, tiny_disk / "store"))
    assert run(["compact", "--all", "--store", str(store)]) == 0
    before = state_of(store)
    fill(tiny_disk, but=0)
    assert run(["gc", "--store", str(store), "--keep", "1", "--grace", "0"]) == 0
    assert state_of(store) == before
    assert len(snapshot_numbers(Store(store))) == 1
