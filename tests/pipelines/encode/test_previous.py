"""How an archive stood: by its last run, or by all of them where an older version wrote them."""

import hashlib
import os
from pathlib import Path

import pytest
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError
from foundation.store.chains import read_runs
from foundation.store.rollback import roll_back
from foundation.store.runs import INVENTORY, Run
from foundation.store.snapshots import live_snapshot
from pipelines.encode.previous import find_previous, previous_inventory
from tests.nights import Found, Nights
from tests.old_stores import as_version_2

WORDS = {"a.jpg": {"caption": "A"}, "b.jpg": {"caption": "B"}}


def photos(**numbers: int) -> set[Found]:
    """Returns what is found of the archive, with the captions of the catalog."""
    captions = {name: columns["caption"] for name, columns in WORDS.items()}
    return {Found("archive", f"{name}.jpg", number, captions.get(f"{name}.jpg")) for name, number in numbers.items()}


def previous_of(nights: Nights, run: Run) -> list[dict]:
    """Returns the inventory that the next listing is compared with."""
    live = live_snapshot(nights.store)
    previous = find_previous(read_runs(nights.store, run.encoder_id), live, run.archive)
    with previous_inventory(nights.store, previous, nights.folder) as paths:
        return [row for path in paths for row in parquet.read_table(path).to_pylist()]


@pytest.fixture
def night(nights: Nights) -> tuple[Nights, Run]:
    """Three photos and a broken one, indexed."""
    for number, name in enumerate("abc"):
        nights.put(f"{name}.jpg", number)
    nights.put("broken.jpg", 9).write_bytes(b"<html>")
    os.utime(nights.path("broken.jpg"), (nights.clock,) * 2)
    return nights, nights.night(words=WORDS).run


def test_a_damaged_inventory_is_refused(night: tuple[Nights, Run]) -> None:
    """Against it every photo would seem new, or removed."""
    nights, run = night
    path = nights.store.local_root / run.directory / INVENTORY
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArtifactRefusedError, match=rf"{run.directory}/{INVENTORY} is damaged"):
        nights.encode()


def test_the_last_run_counts_indexed_or_not(night: tuple[Nights, Run]) -> None:
    """Its inventory is the file that it wrote."""
    nights, run = night
    assert len(previous_of(nights, run)) == 4
    nights.put("d.jpg", 3)
    second = nights.encode().run
    assert (second.previous, second.generation) == (run.run_id, 2)
    assert [row["photo_id"] for row in previous_of(nights, run)] == ["a.jpg", "b.jpg", "broken.jpg", "c.jpg", "d.jpg"]


def test_the_inventory_of_an_older_run_is_made_of_its_listing_and_shards(night: tuple[Nights, Run]) -> None:
    """Photos have the contents of its rows; what has none is to be read again."""
    nights, run = night
    before = {row["photo_id"]: row for row in previous_of(nights, run)}
    as_version_2(nights.store, run)
    after = {row["photo_id"]: row for row in previous_of(nights, run)}
    assert set(after) == set(before)
    assert after.pop("broken.jpg")["reason"] == "unreadable"
    before.pop("broken.jpg")
    assert after == before


def test_a_store_of_an_older_version_goes_on(night: tuple[Nights, Run], tmp_path: Path) -> None:
    """No photo is decoded again or counted twice; then removals, changes and catalogs arrive as ever."""
    nights, run = night
    as_version_2(nights.store, run)
    nights.decoded.clear()
    result = nights.night()
    assert (result.run.previous, result.run.generation, result.accounting.unchanged) == (run.run_id, 1, 3)
    live = live_snapshot(nights.store)
    assert live
    assert (live.photos, live.contents, len(live.segments)) == (3, 3, 1)
    assert nights.found() == photos(a=0, b=1, c=2)
    # The old inventory does not say why the broken file was rejected: it is read once more.
    assert nights.decoded == [hashlib.sha256(b"<html>").hexdigest()]
    nights.decoded.clear()
    assert not nights.night().is_new
    nights.path("a.jpg").unlink()
    nights.put("d.jpg", 3)
    nights.night(words={"b.jpg": {"caption": "corrected"}})
    assert nights.found() == photos(c=2, d=3) | {Found("archive", "b.jpg", 1, "corrected")}
    assert len(nights.decoded) == 1


def test_an_older_archive_that_waits_is_gone_on_with(nights: Nights) -> None:
    """It was encoded, and never indexed."""
    nights.put("c.jpg", 2)
    nights.put("d.jpg", 3)
    as_version_2(nights.store, nights.encode().run)
    nights.path("c.jpg").unlink()
    assert nights.night().accounting.removed == 1
    assert nights.found() == photos(d=3)


@pytest.mark.parametrize("numbers", [(2, 5), (5, 2)])
def test_of_a_photo_that_older_runs_saw_with_two_contents_neither_is_trusted(
    nights: Nights, numbers: tuple[int, int]
) -> None:
    """They do not say which is the later one: the photo is read once more, and has the content that it has."""
    nights.put("c.jpg", numbers[0])
    nights.put("d.jpg", 3)
    first = nights.encode().run
    nights.put("c.jpg", numbers[1])
    second = nights.encode().run
    as_version_2(nights.store, first, second)
    nights.decoded.clear()
    nights.read.clear()
    nights.night()
    assert (nights.read, nights.decoded) == (["c.jpg"], [])
    assert nights.found() == photos(c=numbers[1], d=3)


def test_a_store_of_an_older_version_that_was_rolled_back_goes_on(nights: Nights) -> None:
    """The next run is relative to one that counts, and not to the one that was left out: it is indexed."""
    nights.put("a.jpg", 0)
    first = nights.night().run
    nights.put("b.jpg", 1)
    second = nights.encode().run
    as_version_2(nights.store, first, second)
    nights.index()
    roll_back(nights.store, 1)
    for number, name in ((2, "c"), (3, "d")):
        nights.put(f"{name}.jpg", number)
        run = nights.night().run
        live = live_snapshot(nights.store)
        assert live
        assert run.previous != second.run_id
        assert live.archives[run.archive].run_id == run.run_id
    assert {(one.photo_id, one.picture) for one in nights.found()} == {
        (f"{name}.jpg", number) for number, name in enumerate("abcd")
    }
