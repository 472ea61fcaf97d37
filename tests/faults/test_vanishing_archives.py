"""Archives that vanish in the middle of a night: nothing is taken for removed, and when they are back it goes on."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from firstseen.commands.running import run
from foundation.archives import folders
from foundation.store.files import Store
from foundation.store.snapshots import snapshot_numbers
from pipelines.encode import chunks
from tests.faults.trials import rows_of
from tests.firstseen.desk import one_error_line
from tests.foundation.archives.test_buckets import fill
from tests.nights import Nights, make_nights, picture

KNOWN, NEW = 6, 30


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """An empty store, and archives beside it that are encoded in milliseconds."""
    return make_nights(tmp_path, monkeypatch)


def put(nights: Nights, numbers: range, *, first: int = 0) -> None:
    """Writes photos into the folder."""
    for number in numbers:
        nights.put(f"{number // 10}/{number}.jpg", first + number)


def arguments(archive: str, store: Store) -> list[str]:
    """Returns a re-index."""
    return ["reindex", archive, "--features", "none", "--store", store.uri]


def at_call(function: Callable[..., Any], number: int, act: Callable[[], None]) -> Callable[..., Any]:
    """Returns the function, which does something before it is called for the time of that number."""
    calls = iter(range(1, 1_000_000))

    def acting(*arguments: Any) -> Any:
        if next(calls) == number:
            act()
        return function(*arguments)

    return acting


@pytest.mark.parametrize("while_", ["listing", "reading"])
@pytest.mark.parametrize("left", ["nothing", "an empty folder", "another folder"])
def test_a_folder_that_vanishes(nights: Nights, capsys: pytest.CaptureFixture, while_: str, left: str) -> None:
    """As a disk does that is unmounted: exit code 75, and the old answers stand until it is there again."""
    folder, away = nights.path("."), nights.folder / "away"
    command = arguments(str(folder), nights.store)
    put(nights, range(KNOWN))
    assert run(command) == 0
    before = rows_of(nights.store.uri)
    put(nights, range(KNOWN, KNOWN + NEW))

    def vanish() -> None:
        folder.rename(away)
        if left != "nothing":
            folder.mkdir()
        if left == "another folder":
            nights.put("mount-point.jpg", 60)

    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        if while_ == "listing":
            patch.setattr(folders, "entry_of", at_call(folders.entry_of, KNOWN + 2, vanish))
        else:
            patch.setattr(chunks, "read_chunk", at_call(chunks.read_chunk, 1, vanish))
        assert run(command) == 75
    line = one_error_line(capsys)
    assert "run again" in line, line
    assert (rows_of(nights.store.uri), snapshot_numbers(nights.store)) == (before, [1])
    if left == "an empty folder":
        # The night after it is still away: an empty folder is no archive.
        assert run(command) == 4
        assert run(["index", "--store", nights.store.uri]) == 0
        assert rows_of(nights.store.uri) == before
    shutil.rmtree(folder, ignore_errors=True)
    away.rename(folder)
    nights.decoded.clear()
    assert run(command) == 0
    assert len(nights.decoded) == NEW
    assert len(rows_of(nights.store.uri)) == KNOWN + NEW
    assert run(command) == 0
    assert len(nights.decoded) == NEW


@pytest.mark.parametrize("left", ["nothing", "an empty folder"])
def test_a_folder_vanishes_when_few_photos_are_new(nights: Nights, left: str) -> None:
    """As few as the links of an archive, which can never be read: it is the folder that tells the two apart."""
    folder, away = nights.path("."), nights.folder / "away"
    command = arguments(str(folder), nights.store)
    put(nights, range(3))
    assert run(command) == 0
    before = rows_of(nights.store.uri)
    put(nights, range(1, 5), first=20)

    def vanish() -> None:
        folder.rename(away)
        if left == "an empty folder":
            folder.mkdir()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "read_chunk", at_call(chunks.read_chunk, 1, vanish))
        assert run(command) == 75
    assert rows_of(nights.store.uri) == before
    if folder.exists():
        folder.rmdir()
    away.rename(folder)
    assert run(command) == 0
    assert len(rows_of(nights.store.uri)) == 5


def test_a_bucket_that_vanishes(nights: Nights, bucket: str, capsys: pytest.CaptureFixture) -> None:
    """Deleted while its photos are read: exit code 75; then there is none to list; and when it is back, all goes on."""
    archive = f"{bucket}/archive"
    command = arguments(archive, nights.store)
    photos = {f"{number:02d}.jpg": picture(number) for number in range(KNOWN + NEW)}
    fill(archive, dict(list(photos.items())[:KNOWN]))
    assert run(command) == 0
    before = rows_of(nights.store.uri)
    fill(archive, photos)
    name = bucket.removeprefix("s3://").partition("/")[0]
    s3 = boto3.resource("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"]).Bucket(name)

    def vanish() -> None:
        s3.objects.all().delete()
        s3.delete()

    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "read_chunk", at_call(chunks.read_chunk, 1, vanish))
        assert run(command) == 75
    assert "nothing is taken for removed" in one_error_line(capsys)
    assert rows_of(nights.store.uri) == before
    assert run(command) == 4
    assert archive in one_error_line(capsys)
    assert rows_of(nights.store.uri) == before
    s3.create()
    fill(archive, photos)
    nights.decoded.clear()
    assert run(command) == 0
    assert len(nights.decoded) == NEW
    assert len(rows_of(nights.store.uri)) == KNOWN + NEW
