"""Occurrences: each photo counts once, by its latest run, and the first published comes first."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.store.occurrences import (
    FirstSeen,
    Occurrence,
    first_seen,
    latest_occurrences,
    merge_first_seen,
    occurrence_type,
    publication_order,
)
from foundation.store.run_tables import photo_fields
from tests.builders import day

A, B = "file:///a", "file:///b"
dates = st.none() | st.integers(0, 20_000).map(day)
occurrences = st.builds(
    lambda number, date: Occurrence(f"{number}.jpg", f"file:///{number}.jpg", date), st.integers(0, 5), dates
)


def occurrence(name: str, number: int | None = None) -> Occurrence:
    """Returns an occurrence that was published on the numbered day."""
    return Occurrence(name, f"file:///{name}", None if number is None else day(number))


@given(st.lists(occurrences))
def test_occurrences_survive_the_column(found: list[Occurrence]):
    """What Arrow writes and reads back is the same record, dates in UTC included."""
    written = pa.array([one.to_struct() for one in found], occurrence_type())
    assert [Occurrence.from_struct(struct) for struct in written.to_pylist()] == found


def test_the_column_of_the_contract_holds_occurrences():
    """Shards and segments share one type: another order of the fields would be another contract."""
    (column,) = [field for field in photo_fields() if field.name == "occurrences"]
    assert column.type == pa.list_(occurrence_type())
    assert [field.name for field in occurrence_type()] == [
        "photo_id", "uri", "published_at", "captured_at", "caption", "credit", "source",
        "archive", "generation", "is_removed",
    ]  # fmt: skip


def test_an_occurrence_of_version_1_lacks_what_came_later():
    """It names no archive, and is of the first generation."""
    assert Occurrence.from_struct({"photo_id": "a", "uri": A, "published_at": None}) == Occurrence("a", A)


def test_the_first_published_comes_first_and_the_undated_last():
    """Among equal dates, and among photos without one, the photo_id decides."""
    found = [occurrence("b"), occurrence("a"), occurrence("b", 2), occurrence("a", 2), occurrence("z", 1)]
    assert sorted(found, key=lambda one: one.order) == found[::-1]
    assert publication_order(None, "a") > publication_order(day(40_000), "z")


def of(name: str, archive: str = "", generation: int = 0, **fields: Any) -> Occurrence:
    """Returns an occurrence in an archive, by a run."""
    return Occurrence(name, fields.pop("uri", f"file:///{name}"), archive=archive, generation=generation, **fields)


def test_of_one_photo_of_an_archive_the_latest_run_counts():
    """Whatever the order they are met in; of one run the last that is met."""
    first, second = of("a", "x", 1, caption="first"), of("a", "x", 2, is_removed=True)
    assert latest_occurrences([second, first]) == latest_occurrences([first, second]) == [second]
    corrected = of("a", "x", 1, caption="corrected")
    assert latest_occurrences([first, corrected]) == [corrected]


def test_a_name_is_that_of_an_archive():
    """Two archives have a photo each, and a photo that names none is known by its uri."""
    apart = [of("a", uri="file:///1"), of("a", uri="file:///2"), of("a", "x"), of("a", "y")]
    assert latest_occurrences(apart) == apart


def test_an_occurrence_that_names_its_archive_replaces_one_at_its_place_that_does_not():
    """A store of version 2 was encoded again: the photo is there once, and when it went it is gone."""
    named = of("a", "x", 3, is_removed=True)
    assert latest_occurrences([named, of("a"), of("b")]) == [named, of("b")]


@given(st.lists(occurrences))
def test_what_counts_is_each_photo_once_in_order(found: list[Occurrence]):
    """Every photo is there once, first published first; to ask again changes nothing."""
    latest = latest_occurrences(found)
    assert sorted(one.photo for one in latest) == sorted({one.photo for one in found})
    assert [one.order for one in latest] == sorted(one.order for one in latest)
    assert latest_occurrences(latest) == latest


@pytest.mark.parametrize(
    ("found", "captured", "expected"),
    [
        # The capture time of the bytes dates the occurrence that has no publication of its own.
        ([occurrence("a", 9), occurrence("b")], 2, FirstSeen(day(2), B, 2, day(9), "captured")),
        # A photo that was published counts from then on, however early it was captured.
        ([occurrence("a", 9)], 2, FirstSeen(day(9), A, 1, day(9), "published")),
        ([occurrence("a", 4), occurrence("b")], 7, FirstSeen(day(4), A, 2, day(4), "published")),
        ([occurrence("b", 4), occurrence("a", 7)], None, FirstSeen(day(4), B, 2, day(4), "published")),
        ([occurrence("a"), occurrence("c")], None, FirstSeen(None, A, 2)),
        # What stands in a sidecar beside one photo counts for that one, and before what its bytes say.
        (
            [replace(occurrence("a"), captured_at=day(6)), occurrence("b")],
            8,
            FirstSeen(day(6), A, 2, None, "captured"),
        ),
        ([replace(occurrence("a"), captured_at=day(6))], 2, FirstSeen(day(6), A, 1, None, "captured")),
    ],
)
def test_first_seen_is_the_earliest_date_known(found: list[Occurrence], captured: int | None, expected: FirstSeen):
    """Published, else captured, and which of both it is; without any date the first occurrence names itself."""
    assert first_seen(found, None if captured is None else day(captured)) == expected


def test_contents_are_dated_together_by_the_earliest():
    """The first date names the uri, all places count, and the first publication is kept beside an earlier capture."""
    undated, captured = FirstSeen(None, "u", 1), FirstSeen(day(2), "c", 3, None, "captured")
    published, later = (FirstSeen(day(at), uri, 1, day(at), "published") for at, uri in ((5, "p"), (7, "q")))
    assert merge_first_seen([undated, later, captured, published]) == FirstSeen(day(2), "c", 6, day(5), "captured")
    assert merge_first_seen([undated, FirstSeen(None, "v", 1)]) == FirstSeen(None, "u", 2)


def test_an_occurrence_cannot_be_changed():
    """Occurrences are shared between the rows that are merged."""
    with pytest.raises(AttributeError):
        occurrence("a").published_at = datetime.now()  # type: ignore[misc]


def test_the_same_name_in_two_archives_has_one_order() -> None:
    """Whichever is met first: a compaction must not exchange the copy that an answer names."""
    copies = [Occurrence("p.jpg", f"{archive}/p.jpg", archive=archive) for archive in ("file:///a", "s3://b")]
    assert latest_occurrences(copies) == latest_occurrences(copies[::-1]) == copies
