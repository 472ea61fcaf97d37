"""Night after night: what changed in an archive reaches the snapshot, and nothing else is done."""

import os
import time
from collections.abc import Sequence
from typing import Any

import pytest

from foundation.archives.photos import Entry
from foundation.errors import UsageError
from foundation.store.retractions import RetractedPhoto, add_retraction
from foundation.store.runs import Accounting
from foundation.store.snapshots import live_snapshot, read_snapshot
from pipelines.encode import listing
from pipelines.index.job import build_index
from tests.builders import add_encoder
from tests.nights import NO_PICTURE, Found, Nights, hash_of, picture


def photos(**numbers: int) -> set[Found]:
    """Returns what is found of the one archive: photo_ids without suffix, and their pictures."""
    return {Found("archive", f"{name}.jpg", number) for name, number in numbers.items()}


@pytest.fixture
def settled(nights: Nights) -> Nights:
    """Four photos, indexed; what was decoded until then is forgotten."""
    for number, name in enumerate("abcd"):
        nights.put(f"{name}.jpg", number)
    nights.night()
    assert nights.found() == photos(a=0, b=1, c=2, d=3)
    nights.decoded.clear()
    return nights


def counts(accounting: Accounting) -> dict[str, int]:
    """Returns the counts that are not zero, without those of the whole."""
    found = {name: getattr(accounting, name) for name in Accounting.__dataclass_fields__}
    return {name: count for name, count in found.items() if count and name not in ("listed", "photos", "contents")}


def test_nothing_changed(settled: Nights) -> None:
    """Nothing is decoded, nothing is written, and the snapshot stays: the run is the last one."""
    before = {path: path.stat().st_mtime_ns for path in settled.store.local_root.rglob("*") if path.is_file()}
    result = settled.encode()
    indexed = settled.index()
    assert (result.is_new, indexed.is_new, indexed.snapshot.number) == (False, False, 1)
    assert counts(result.accounting) == {"unchanged": 4}
    assert settled.decoded == []
    assert {path: path.stat().st_mtime_ns for path in settled.store.local_root.rglob("*") if path.is_file()} == before


def test_a_new_photo(settled: Nights) -> None:
    """It alone is decoded, and the others are found as before."""
    settled.put("e.jpg", 4)
    result = settled.night()
    assert counts(result.accounting) == {"embedded": 1, "unchanged": 4}
    assert settled.decoded == [hash_of(4).hex()]
    assert settled.found() == photos(a=0, b=1, c=2, d=3, e=4)


@pytest.mark.parametrize("what", ["size", "time"])
def test_a_photo_with_another_content(settled: Nights, what: str) -> None:
    """Noticed by its size or by its time alone; the old content is found no more."""
    data = picture(9)
    was = settled.path("b.jpg").stat()
    settled.path("b.jpg").write_bytes(data + b"\0" * (was.st_size - len(data) if what == "time" else 1))
    at = was.st_mtime + (10 if what == "time" else 0)
    os.utime(settled.path("b.jpg"), (at, at))
    result = settled.encode()
    settled.index()
    assert counts(result.accounting) == {"embedded": 1, "unchanged": 3}
    assert len(settled.decoded) == 1
    assert settled.found() == photos(a=0, b=NO_PICTURE, c=2, d=3)


def test_a_photo_that_was_only_touched(settled: Nights) -> None:
    """Its bytes are what they were: it is unchanged, not decoded, and no segment is made; then its time is known."""
    settled.put("b.jpg", 1)
    result = settled.encode()
    assert counts(result.accounting) == {"unchanged": 4}
    assert (result.is_new, result.run.changes, result.run.rows, settled.decoded) == (True, 0, {}, [])
    assert settled.index().added == []
    assert not settled.encode().is_new
    assert settled.found() == photos(a=0, b=1, c=2, d=3)


def test_a_renamed_photo(settled: Nights) -> None:
    """It is one copy under its new name, and nothing is decoded."""
    settled.path("b.jpg").rename(settled.path("z.jpg"))
    result = settled.night()
    assert counts(result.accounting) == {"renamed": 1, "unchanged": 3, "removed": 1}
    assert settled.decoded == []
    assert settled.found() == photos(a=0, z=1, c=2, d=3)


def test_a_folder_that_was_moved(settled: Nights) -> None:
    """A copy is a copy, and its old place is gone when it is removed a night later."""
    settled.put("copy/b.jpg", 1)
    assert counts(settled.night().accounting) == {"duplicates": 1, "unchanged": 4}
    settled.path("copy").rename(settled.path("moved"))
    assert counts(settled.night().accounting) == {"renamed": 1, "unchanged": 4, "removed": 1}
    settled.path("b.jpg").unlink()
    assert counts(settled.night().accounting) == {"unchanged": 4, "removed": 1}
    assert settled.decoded == []
    assert settled.found() == photos(a=0, c=2, d=3) | {Found("archive", "moved/b.jpg", 1)}


def test_a_removed_photo_and_one_that_comes_back(settled: Nights) -> None:
    """It is found no more; added again, under its name or another, it is found and not embedded again."""
    settled.path("b.jpg").unlink()
    assert counts(settled.night().accounting) == {"unchanged": 3, "removed": 1}
    assert settled.found() == photos(a=0, c=2, d=3)
    settled.put("b.jpg", 1)
    assert counts(settled.night().accounting) == {"duplicates": 1, "unchanged": 3}
    assert settled.found() == photos(a=0, b=1, c=2, d=3)
    settled.path("b.jpg").unlink()
    settled.night()
    settled.put("y.jpg", 1)
    settled.night()
    assert settled.found() == photos(a=0, y=1, c=2, d=3)
    assert settled.decoded == []


@pytest.mark.parametrize("index_between", [True, False])
def test_a_photo_that_comes_back_before_its_removal_is_indexed(settled: Nights, index_between: bool) -> None:
    """Of runs that are indexed together the last one counts."""
    settled.put("e.jpg", 4)
    settled.encode()
    settled.path("e.jpg").unlink()
    settled.encode()
    if index_between:
        settled.index()
        assert settled.found() == photos(a=0, b=1, c=2, d=3)
    settled.put("e.jpg", 4)
    settled.night()
    assert settled.found() == photos(a=0, b=1, c=2, d=3, e=4)


def test_two_photos_that_change_places(settled: Nights) -> None:
    """Each name answers for the content that it has now."""
    settled.put("a.jpg", 1)
    assert counts(settled.night().accounting) == {"duplicates": 1, "unchanged": 3}
    assert settled.found() == photos(a=1, b=1, c=2, d=3)
    settled.put("b.jpg", 0)
    settled.night()
    assert settled.found() == photos(a=1, b=0, c=2, d=3)
    assert settled.decoded == []


def test_a_file_replaced_within_the_second_of_the_last_run(nights: Nights) -> None:
    """It has the size and the time that it had, and is read nevertheless."""
    path = nights.put("a.jpg", 0)
    size = max(len(picture(0)), len(picture(1)))

    def write(number: int) -> None:
        path.write_bytes(picture(number).ljust(size, b"\0"))
        os.utime(path, (second, second))

    second = time.time() // 1
    write(0)
    nights.encode()
    write(1)
    assert counts(nights.night().accounting) == {"embedded": 1}


def test_duplicates_across_archives(settled: Nights) -> None:
    """A content that another archive has is not decoded, whether that is indexed or waits; each archive has its own."""
    settled.put("new.jpg", 5)
    settled.encode()
    for number in (1, 5, 6):
        settled.put(f"{number}.jpg", number, archive="other")
    assert counts(settled.encode("other").accounting) == {"embedded": 1, "duplicates": 2}
    assert sorted(settled.decoded) == sorted(hash_of(number).hex() for number in (5, 6))
    settled.index()
    others = {Found("other", f"{number}.jpg", number) for number in (1, 5, 6)}
    assert settled.found() == photos(a=0, b=1, c=2, d=3, new=5) | others
    for name in ("b.jpg", "new.jpg"):
        settled.path(name).unlink()
    settled.night()
    assert settled.found() == photos(a=0, c=2, d=3) | others


def test_catalogs_of_several_nights(nights: Nights) -> None:
    """A changed row arrives without a decode; without a row a photo keeps its words, an empty cell erases them."""
    for number, name in enumerate("ab"):
        nights.put(f"{name}.jpg", number)
    expected = {"a.jpg": "A", "b.jpg": "B"}

    def captions() -> dict[str, str | None]:
        return {one.photo_id: one.caption for one in nights.found()}

    nights.night(words={name: {"caption": words} for name, words in expected.items()})
    assert captions() == expected
    nights.decoded.clear()
    result = nights.night(words={"a.jpg": {"caption": "corrected"}})
    assert counts(result.accounting) == {"unchanged": 2, "updated": 1}
    assert captions() == expected | {"a.jpg": "corrected"}
    assert not nights.night().is_new
    assert captions() == expected | {"a.jpg": "corrected"}
    assert not nights.night(words={"b.jpg": {"caption": "B"}}).is_new
    nights.night(words={"a.jpg": {"caption": ""}})
    assert captions() == expected | {"a.jpg": None}
    assert nights.decoded == []


def test_rejects_are_carried_and_unreadable_ones_tried_again(nights: Nights) -> None:
    """A broken photo is not read again until somebody asks for it; one that cannot be read is, each night."""
    nights.put("a.jpg", 0)
    nights.put("b.jpg", 1)
    nights.put("broken.jpg", 2).write_bytes(b"<html>")
    os.utime(nights.path("broken.jpg"), (nights.clock,) * 2)
    first = nights.night()
    assert first.accounting.rejected == {"not_a_photo": 1}
    read = nights.read
    read.clear()
    again = nights.encode()
    assert (again.is_new, again.accounting.rejected, read) == (False, {"not_a_photo": 1}, [])
    asked = nights.encode(retry_rejects=first.run.run_id)
    assert (asked.is_new, asked.accounting.rejected, read) == (False, {"not_a_photo": 1}, ["broken.jpg"])
    nights.path("b.jpg").rename(nights.path("kept"))
    nights.path("b.jpg").symlink_to(nights.path("kept"))
    nights.path("kept").rename(nights.folder / "kept")
    for _ in range(2):
        read.clear()
        assert nights.night().accounting.rejected == {"not_a_photo": 1, "unreadable": 1}
        # What was known yesterday is still found: nobody knows better.
        assert nights.found() == photos(a=0, b=1)
    nights.path("b.jpg").unlink()
    (nights.folder / "kept").rename(nights.path("b.jpg"))
    read.clear()
    assert counts(nights.night().accounting) == {"unchanged": 2, "rejected": {"not_a_photo": 1}}
    assert read == ["b.jpg"]


def test_rejects_of_another_archive_are_none_to_read_again(nights: Nights) -> None:
    """Its names mean nothing here; the line says which archive the run is of."""
    nights.put("a.jpg", 0)
    nights.put("b.jpg", 1, archive="second")
    run = nights.night("second").run
    with pytest.raises(UsageError, match=rf"^run {run.run_id} is of the archive file://.*/second; expected one of "):
        nights.encode(retry_rejects=run.run_id)


def test_an_archive_that_lost_most_of_its_photos(nights: Nights) -> None:
    """It is refused, and nothing is removed; with the option it is what the archive is now."""
    for number in range(30):
        nights.put(f"{number}.jpg", number)
    nights.night()
    for number in range(27):
        nights.path(f"{number}.jpg").unlink()
    with pytest.raises(UsageError, match=r"lists 3 photos, and of the 30 that it had 27 are gone; .*--allow-shrink"):
        nights.encode()
    nights.index()
    assert len(nights.found()) == 30
    assert counts(nights.night(allow_shrink=True).accounting) == {"unchanged": 3, "removed": 27}
    assert nights.found() == {Found("archive", f"{number}.jpg", number) for number in (27, 28, 29)}


def test_a_folder_that_cannot_be_listed_keeps_its_photos(settled: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it can be listed again: then what is not there is gone."""
    settled.put("shut/e.jpg", 4)
    settled.put("shut/f.jpg", 5)
    settled.night()
    settled.path("shut/e.jpg").unlink()
    tables = listing._tables

    def without(archive: Any, *arguments: Any) -> Any:
        def entries() -> Sequence[Entry]:
            photos = [entry for entry in archive.list() if not entry.photo_id.startswith("shut/")]
            return iter([*photos, Entry("shut", "file:///shut", -1, None, is_folder=True)])

        return tables(type(archive)(archive.uri, archive.folder, entries), *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(listing, "_tables", without)
        assert not settled.night().is_new
        settled.path("a.jpg").unlink()
        assert counts(settled.night().accounting) == {"unchanged": 5, "removed": 1}
    kept = {Found("archive", "shut/f.jpg", 5)}
    assert settled.found() == photos(b=1, c=2, d=3) | kept | {Found("archive", "shut/e.jpg", 4)}
    settled.night()
    assert settled.found() == photos(b=1, c=2, d=3) | kept


def withdraw(nights: Nights, name: str, number: int) -> None:
    """Withdraws a photo of the archive."""
    photo = RetractedPhoto(
        archive=nights.path(".").resolve().as_uri(), photo_id=name, content_sha256=hash_of(number).hex()
    )
    add_retraction(nights.store, [photo], why="a test")


def test_a_withdrawn_photo_vanishes_and_does_not_come_back(settled: Nights) -> None:
    """Neither its name with another content nor its content under another name or in another archive is embedded."""
    withdraw(settled, "b.jpg", 1)
    result = settled.night()
    assert counts(result.accounting) == {"unchanged": 3, "rejected": {"retracted": 1}}
    assert settled.found() == photos(a=0, c=2, d=3)
    assert read_snapshot(settled.store).photos == 3
    settled.put("b.jpg", 7)
    settled.put("again.jpg", 1)
    settled.put("copy.jpg", 1, archive="other")
    settled.put("other.jpg", 8, archive="other")
    assert settled.night().accounting.rejected == {"retracted": 2}
    assert settled.night("other").accounting.rejected == {"retracted": 1}
    assert settled.decoded == [hash_of(8).hex()]
    assert settled.found() == photos(a=0, c=2, d=3) | {Found("other", "other.jpg", 8)}


def test_a_copy_of_a_withdrawn_photo_that_is_replaced_is_found(settled: Nights) -> None:
    """The night after: what was withdrawn of it is a content, and it has another one."""
    settled.put("copy.jpg", 1, archive="other")
    settled.night("other")
    withdraw(settled, "b.jpg", 1)
    settled.put("copy.jpg", 6, archive="other")
    for archive in ("archive", "other"):
        settled.night(archive)
    assert settled.found() == photos(a=0, c=2, d=3) | {Found("other", "copy.jpg", 6)}


def test_a_retraction_that_is_undone_brings_the_photo_back(settled: Nights) -> None:
    """The night after, under its own name, and in another archive that had the content too."""
    settled.put("copy.jpg", 1, archive="other")
    settled.night("other")
    withdraw(settled, "b.jpg", 1)
    for archive in ("archive", "other"):
        settled.night(archive)
    assert settled.found() == photos(a=0, c=2, d=3)
    add_retraction(settled.store, [], why="a mistake", undoes=1)
    for archive in ("archive", "other"):
        settled.night(archive)
    assert settled.found() == photos(a=0, b=1, c=2, d=3) | {Found("other", "copy.jpg", 1)}
    assert settled.decoded == []


def test_a_photo_that_is_withdrawn_while_it_waits_is_not_indexed(settled: Nights) -> None:
    """The segment that its run makes does not hold it."""
    settled.put("e.jpg", 4)
    settled.put("f.jpg", 5)
    settled.encode()
    withdraw(settled, "e.jpg", 4)
    (segment,) = settled.index().added
    assert segment.rows == 1
    assert settled.found() == photos(a=0, b=1, c=2, d=3, f=5)


def test_what_is_read_and_is_as_it_was_makes_no_run(settled: Nights) -> None:
    """Contents that were checked, and a link that can never be read: nothing is written, however often it is tried."""
    settled.path("link.jpg").symlink_to("elsewhere")
    with_link = settled.night()
    assert with_link.is_new
    files = {file.path for file in settled.store.walk()}
    for check in ("stat", "hash"):
        again = settled.encode(check=check)
        assert (again.is_new, again.run.run_id) == (False, with_link.run.run_id)
        assert again.accounting.rejected == {"unreadable": 1}
    assert {file.path for file in settled.store.walk()} == files


def test_a_renamed_photo_keeps_its_words(settled: Nights) -> None:
    """What a catalog said of the old name is known of the new one, unless tonight's catalog says otherwise."""
    settled.night(words={"a.jpg": {"caption": "red", "published_at": "2020-01-02"}, "b.jpg": {"caption": "blue"}})
    settled.path("a.jpg").rename(settled.path("new-a.jpg"))
    settled.path("b.jpg").rename(settled.path("new-b.jpg"))
    renamed = settled.night(words={"new-b.jpg": {"caption": "green"}})
    assert renamed.accounting.renamed == 2
    captions = {one.photo_id: one.caption for one in settled.found()}
    assert (captions["new-a.jpg"], captions["new-b.jpg"]) == ("red", "green")


def test_another_encoder_takes_over_what_is_known(settled: Nights) -> None:
    """A photo keeps its caption when all of the archive is encoded anew, without a catalog."""
    settled.night(words={"a.jpg": {"caption": "red"}})
    other = add_encoder(settled.store, recipe="other")
    settled.encode(encoder=other)
    build_index(settled.store, encoder=other)
    assert live_snapshot(settled.store).encoder_id == other
    assert "red" in {one.caption for one in settled.found()}
