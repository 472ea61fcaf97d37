"""Comparing a listing with how the archive stood: what has to be read, and what of the others is known."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from foundation.errors import TemporaryError, UsageError
from pipelines.encode.compare import (
    Comparison,
    require_no_shrinking,
    require_readable,
    work_schema,
    write_work,
)
from pipelines.encode.database import rows_of
from tests.builders import content, day
from tests.pipelines.encode.inventories import LAST_RUN, Row, compared, known, listed, outcome, rejected

STATE = "SELECT photo_id, fate, became, content_sha256 FROM state ORDER BY position"


def fate(folder: Path, listing: Row, previous: Row | None, **settings: Any) -> str:
    """Returns what is to be done with the one photo of a listing."""
    with compared(folder, [listing], [previous] if previous else [], **settings) as (database, _):
        ((found,),) = rows_of(database, "SELECT fate FROM compared")
    return found


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "unchanged"),
        ({"size_bytes": 11}, "read"),
        ({"modified_at": day(9_000)}, "read"),
        ({"modified_at": None}, "read"),
        ({"uri": "file:///elsewhere/a"}, "read"),
        ({"etag": "new"}, "read"),
        ({"caption": "a catalog's"}, "unchanged"),
    ],
)
def test_a_photo_is_unchanged_by_its_place_size_and_time(tmp_path: Path, changes: Row, expected: str) -> None:
    """Any other of them and it is read; what its catalog says is no reason to."""
    assert fate(tmp_path, listed("a") | changes, known("a")) == expected


def test_an_etag_counts_before_the_time(tmp_path: Path) -> None:
    """A copied object has another time and the same bytes."""
    tagged = known("a", etag="x")
    assert fate(tmp_path, listed("a", etag="x", modified_at=day(1)), tagged) == "unchanged"
    assert fate(tmp_path, listed("a", etag="y"), tagged) == "read"
    assert fate(tmp_path, listed("a"), tagged) == "read"


@pytest.mark.parametrize(("seconds", "expected"), [(-60, "unchanged"), (-3, "unchanged"), (-2, "read"), (5, "read")])
def test_a_photo_written_while_the_last_run_began_is_read_again(tmp_path: Path, seconds: int, expected: str) -> None:
    """It may have been written once more within the same second, to the same size."""
    at = LAST_RUN + timedelta(seconds=seconds)
    assert fate(tmp_path, listed("a", modified_at=at), known("a", modified_at=at)) == expected


def test_a_new_photo_is_read_and_with_hash_every_photo(tmp_path: Path) -> None:
    """The check `hash` trusts no time."""
    assert fate(tmp_path, listed("a"), None) == "read"
    assert fate(tmp_path, listed("a"), known("a"), check="hash") == "read"


@pytest.mark.parametrize(
    ("reason", "expected"), [("unreadable", "read"), ("retracted", "unchanged"), ("truncated", "unchanged")]
)
def test_what_may_be_usable_today_is_tried_again(tmp_path: Path, reason: str, expected: str) -> None:
    """Whatever else was rejected is so for its bytes, and waits until they change, or somebody asks for it."""
    assert fate(tmp_path, listed("a"), rejected("a", reason)) == expected
    assert fate(tmp_path, listed("a"), rejected("a", reason), retried=["a"]) == "read"


def test_what_was_withdrawn_is_read_once_retractions_were_taken_back(tmp_path: Path) -> None:
    """Whether it was one of them is known when it is read: nothing says what content a reject had."""
    assert fate(tmp_path, listed("a"), rejected("a", "retracted"), restored=[content("z")]) == "read"


@pytest.mark.parametrize("lost", [{"lost": [content("a")]}, {"restored": [content("a")]}])
def test_a_photo_whose_content_nothing_holds_is_read_again(tmp_path: Path, lost: dict[str, Any]) -> None:
    """Its vector was dropped; one that was withdrawn as well has none to get."""
    assert fate(tmp_path, listed("a"), known("a"), **lost) == "read"
    assert fate(tmp_path, listed("b"), known("b"), **lost) == "unchanged"
    assert fate(tmp_path, listed("a"), known("a"), withdrawn=([], [content("a")]), **lost) == "retracted"


@pytest.mark.parametrize("withdrawn", [(["a"], []), ([], [content("a")])])
def test_what_was_withdrawn_is_not_read(tmp_path: Path, withdrawn: tuple[list[str], list[bytes]]) -> None:
    """By its name, or by the content that it had: it is a reject from then on, and a difference once."""
    with compared(tmp_path, [listed("a"), listed("b")], [known("a"), known("b")], withdrawn=withdrawn) as found:
        database, comparison = found
        rows = rows_of(database, "SELECT photo_id, content_sha256, reason, became FROM state ORDER BY position")
    assert comparison == Comparison(known=2, listed=2, unchanged=1, retracted=1)
    assert rows == [("a", None, "retracted", "rejected"), ("b", content("b"), None, "unchanged")]
    with compared(tmp_path, [listed("a")], [rejected("a", "retracted")], withdrawn=(["a"], [])) as (_, comparison):
        assert comparison.is_nothing


@pytest.mark.parametrize(("changes", "expected"), [({}, "retracted"), ({"size_bytes": 9}, "read")])
def test_a_photo_that_had_a_withdrawn_content_and_changed_is_read(tmp_path: Path, changes: Row, expected: str) -> None:
    """It may be another picture now; by its name it would stay withdrawn."""
    now = listed("a", **changes)
    assert fate(tmp_path, now, known("a"), withdrawn=([], [content("a")])) == expected
    assert fate(tmp_path, now, known("a"), withdrawn=(["a"], [])) == "retracted"


def test_what_was_read_before_is_not_read_again(tmp_path: Path) -> None:
    """An attempt that was cut off has done it; but not if the photo is another one since, or could not be read."""
    outcomes = [
        outcome(known("done"), is_embedded=True),
        outcome(known("known", of="done")),
        outcome(rejected("cut", "truncated")),
        outcome(rejected("gone", "unreadable")),
        outcome(known("changed", size_bytes=9)),
    ]
    names = ("done", "known", "cut", "gone", "changed", "new")
    with compared(tmp_path, [listed(name) for name in names], outcomes=outcomes) as (database, comparison):
        assert rows_of(database, STATE) == [
            ("done", "done", "embedded", content("done")),
            ("known", "done", "duplicate", content("done")),
            ("cut", "done", "rejected", None),
            ("gone", "read", "lost", None),
            ("changed", "read", "lost", None),
            ("new", "read", "lost", None),
        ]
    assert (comparison.read, comparison.done) == (3, 3)


def test_at_the_last_look_what_cannot_be_read_is_done(tmp_path: Path) -> None:
    """And is still what it was: nobody knows better."""
    outcomes = [outcome(rejected(name, "unreadable")) for name in ("a", "b")]
    with compared(
        tmp_path, [listed("a", size_bytes=9), listed("b", size_bytes=9)], [known("a")], outcomes, is_last=True
    ) as (database, comparison):
        assert comparison.read == 2
    outcomes = [one | {"size_bytes": 9} for one in outcomes]
    with compared(
        tmp_path, [listed("a", size_bytes=9), listed("b", size_bytes=9)], [known("a")], outcomes, is_last=True
    ) as (database, comparison):
        assert comparison.read == 0
        assert rows_of(database, STATE) == [
            ("a", "done", "rejected", content("a")),
            ("b", "done", "rejected", None),
        ]


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_attempts_the_one_that_could_read_a_photo_counts(tmp_path: Path, order: int) -> None:
    """Whichever wrote its outcomes first."""
    outcomes = [outcome(rejected("a", "unreadable")), outcome(known("a"), is_embedded=True)][::order]
    with compared(tmp_path, [listed("a")], outcomes=outcomes, is_last=True) as (database, _):
        assert rows_of(database, STATE) == [("a", "done", "embedded", content("a"))]


def test_a_folder_that_cannot_be_listed_keeps_what_is_below_it(tmp_path: Path) -> None:
    """Nobody knows what became of it, so that nothing is taken for removed; a folder of like name is another one."""
    previous = [known("open/1"), known("shut/1"), known("shut/deep/2"), rejected("shut/3", "truncated"), known("shu")]
    with compared(tmp_path, [listed("open/1")], previous, unlistable=["shut"]) as (database, comparison):
        assert rows_of(database, STATE) == [
            ("open/1", "unchanged", "unchanged", content("open/1")),
            ("shut/1", "unchanged", "unchanged", content("shut/1")),
            ("shut/3", "unchanged", "rejected", None),
            ("shut/deep/2", "unchanged", "unchanged", content("shut/deep/2")),
        ]
    assert comparison == Comparison(known=4, listed=4, unchanged=4, removed=1)
    with compared(tmp_path, [listed("open/1")], previous, unlistable=["."]) as (_, comparison):
        assert comparison.is_nothing


def words(folder: Path, listing: Row) -> tuple[Any, ...]:
    """Returns what a photo's date and words are after a catalog, where it had one of each, and whether they changed."""
    before = known("a", published_at=day(1), caption="old", credit="old", source="old")
    with compared(folder, [listing], [before]) as (database, comparison):
        (found,) = rows_of(database, "SELECT published_at, caption, credit, source, is_updated FROM state")
        assert comparison.is_nothing is not found[-1]
    return found


def test_a_catalog_replaces_and_erases_words(tmp_path: Path) -> None:
    """An empty cell is an answer; a photo that no catalog names keeps what it had."""
    changed = {"published_at": day(2), "caption": None, "credit": "new", "source": "old"}
    named = listed("a", is_given=True) | changed
    assert words(tmp_path, named) == (day(2), None, "new", "old", True)
    same = {"published_at": day(1), "caption": "old", "credit": "old", "source": "old"}
    assert words(tmp_path, listed("a", is_given=True) | same) == (day(1), "old", "old", "old", False)
    assert words(tmp_path, listed("a")) == (day(1), "old", "old", "old", False)


def test_times_are_those_of_the_zone_they_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine in another zone compares and keeps the same dates."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    assert words(tmp_path, listed("a"))[0] == day(1)


def became(folder: Path, listing: list[Row], previous: list[Row], outcomes: list[Row]) -> dict[str, str]:
    """Returns what became of each photo."""
    with compared(folder, listing, previous, outcomes) as (database, _):
        return dict(rows_of(database, "SELECT photo_id, became FROM state"))


def test_each_photo_became_one_thing(tmp_path: Path) -> None:
    """Embedded once per content; renamed only where the old name is gone; touched and otherwise the same, unchanged."""
    previous = [known(name) for name in ("same", "touched", "old", "kept", "changed")]
    new = {
        name: listed(name, size_bytes=7) for name in ("touched", "new", "copy", "of-old", "of-kept", "changed", "bad")
    }
    done = {
        "touched": outcome(known("touched", size_bytes=7)),
        "new": outcome(known("new", size_bytes=7), is_embedded=True),
        "copy": outcome(known("copy", of="new", size_bytes=7)),
        "of-old": outcome(known("of-old", of="old", size_bytes=7)),
        "of-kept": outcome(known("of-kept", of="kept", size_bytes=7)),
        "changed": outcome(known("changed", of="else", size_bytes=7), is_embedded=True),
        "bad": outcome(rejected("bad", "truncated", size_bytes=7)),
    }
    listing = [listed("same"), listed("kept"), *new.values()]
    assert became(tmp_path, listing, previous, list(done.values())) == {
        "same": "unchanged",
        "kept": "unchanged",
        "touched": "unchanged",
        "new": "embedded",
        "copy": "duplicate",
        "of-old": "renamed",
        "of-kept": "duplicate",
        "changed": "embedded",
        "bad": "rejected",
    }


def test_a_content_that_two_workers_embedded_counts_once(tmp_path: Path) -> None:
    """The other row is a duplicate, which the index merges."""
    done = [outcome(known("a"), is_embedded=True), outcome(known("b", of="a"), is_embedded=True)]
    assert became(tmp_path, [listed("a"), listed("b")], [], done) == {"a": "embedded", "b": "duplicate"}


def test_the_work_is_what_has_to_be_read_a_row_group_a_chunk(tmp_path: Path) -> None:
    """In the order of the listing, with the words that the photos will have."""
    listing = [listed(str(number)) for number in range(8)]
    with compared(tmp_path, listing, [known("2"), known("4", caption="old", size_bytes=1)]) as (database, _):
        assert write_work(database, tmp_path / "work.parquet", chunk_photos=3) == 3
    file = parquet.ParquetFile(tmp_path / "work.parquet")
    groups = [file.read_row_group(number) for number in range(file.num_row_groups)]
    assert [group["photo_id"].to_pylist() for group in groups] == [["0", "1", "3"], ["4", "5", "6"], ["7"]]
    assert groups[1]["caption"].to_pylist() == ["old", None, None]
    assert file.schema_arrow == work_schema()


@pytest.mark.parametrize(
    ("removed", "of", "is_refused"),
    [(20, 20, False), (21, 40, True), (21, 42, False), (500, 1_000, False), (90, 100, True)],
)
def test_most_of_an_archive_does_not_go_at_once(removed: int, of: int, is_refused: bool) -> None:
    """More than half of it, and more than some, is refused unless that is allowed; the line counts both."""
    comparison = Comparison(known=of, listed=of - removed, removed=removed)
    require_no_shrinking(comparison, "archive", allow=True)
    if is_refused:
        with pytest.raises(UsageError, match=rf"of the {of} that it had {removed} are gone; .* --allow-shrink"):
            require_no_shrinking(comparison, "archive", allow=False)
    else:
        require_no_shrinking(comparison, "archive", allow=False)


@pytest.mark.parametrize(("unreadable", "read", "is_refused"), [(20, 20, False), (21, 42, False), (22, 42, True)])
def test_photos_that_cannot_be_read_any_more_end_the_run(
    tmp_path: Path, unreadable: int, read: int, is_refused: bool
) -> None:
    """More than half of those to read, and more than some: it is the archive that went, and the run goes on later."""
    names = [str(number) for number in range(read)]
    outcomes = [
        outcome(rejected(name, "unreadable") if number < unreadable else known(name))
        for number, name in enumerate(names)
    ]
    with compared(tmp_path, [listed(name) for name in names], outcomes=outcomes, is_last=True) as (database, _):
        if is_refused:
            with pytest.raises(TemporaryError, match=rf"^{unreadable} of the {read} photos of here .* run again"):
                require_readable(database, "here")
        else:
            require_readable(database, "here")
