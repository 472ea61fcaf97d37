"""Occurrences: each place counts once, the first published comes first, and none is lost."""

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
    merge_first_seen,
    merge_occurrences,
    occurrence_type,
    publication_order,
)
from foundation.store.runs import photo_fields
from tests.builders import day

A, B = "file:///a", "file:///b"
dates = st.none() | st.integers(0, 20_000).map(day)
occurrences = st.builds(
    lambda number, date: Occurrence(f"{number}.jpg", f"file:///{number}.jpg", date), st.integers(0, 5), dates
)


def occurrence(name: str, number: int | None = None) -> Occurrence:
    """Returns an occurrence that was published on the numbered day."""
    return Occurrence(name, f"file:///{name}", None if number is None else day(number))


def row(*found: Occurrence, captured: int | None = None) -> dict[str, Any]:
    """Returns the photo columns of a content whose first occurrence is the photo itself."""
    captured_at = None if captured is None else day(captured)
    return {"uri": found[0].uri, "captured_at": captured_at, "occurrences": [one.to_struct() for one in found]}


@given(st.lists(occurrences))
def test_occurrences_survive_the_column(found: list[Occurrence]):
    """What Arrow writes and reads back is the same record, dates in UTC included."""
    written = pa.array([one.to_struct() for one in found], occurrence_type())
    assert [Occurrence.from_struct(struct) for struct in written.to_pylist()] == found


def test_the_column_of_the_contract_holds_occurrences():
    """Shards and segments share one type: another order of the fields would be another contract."""
    (column,) = [field for field in photo_fields() if field.name == "occurrences"]
    assert column.type == pa.list_(occurrence_type())
    assert [field.name for field in occurrence_type()] == ["photo_id", "uri", "published_at"]


def test_the_first_published_comes_first_and_the_undated_last():
    """Among equal dates, and among photos without one, the photo_id decides."""
    found = [occurrence("b"), occurrence("a"), occurrence("b", 2), occurrence("a", 2), occurrence("z", 1)]
    assert sorted(found, key=lambda one: one.order) == found[::-1]
    assert publication_order(None, "a") > publication_order(day(40_000), "z")


def test_an_archive_encoded_twice_adds_no_occurrence():
    """Each uri counts once; a date found later fills the one that was missing, and never the other way round."""
    undated, dated, earlier = occurrence("a"), occurrence("a", 5), occurrence("b", 4)
    assert merge_occurrences([undated, dated, earlier, undated]) == [earlier, dated]
    assert merge_occurrences([dated, undated]) == [dated]
    assert merge_occurrences([undated, undated]) == [undated]


def test_the_first_date_of_a_place_stays():
    """A catalog that was changed between two runs does not move the photos of the run before."""
    assert merge_occurrences([occurrence("a", 5), occurrence("a", 3)]) == [occurrence("a", 5)]


@given(st.lists(occurrences))
def test_merging_loses_no_place_and_no_only_date(found: list[Occurrence]):
    """Every uri is there once, in order, dated if any of its occurrences is; merging again changes nothing."""
    merged = merge_occurrences(found)
    assert sorted(one.uri for one in merged) == sorted({one.uri for one in found})
    assert [one.order for one in merged] == sorted(one.order for one in merged)
    assert {one.uri for one in merged if one.published_at} == {one.uri for one in found if one.published_at}
    assert set(merged) <= set(found)
    assert merge_occurrences(merged) == merged


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # The capture time of the bytes dates the occurrence that has no publication of its own.
        ([row(occurrence("a", 9), occurrence("b"), captured=2)], FirstSeen(day(2), B, 2, day(9))),
        # A photo that was published counts from then on, however early it was captured.
        ([row(occurrence("a", 9), captured=2)], FirstSeen(day(9), A, 1, day(9))),
        ([row(occurrence("a"), occurrence("c"))], FirstSeen(None, A, 2)),
        # Two segments hold the content: the places are counted once, and the earliest date wins.
        (
            [row(occurrence("a", 9)), row(occurrence("b", 4), occurrence("a", 7))],
            FirstSeen(day(4), B, 2, day(4)),
        ),
        ([row(occurrence("a", 9)), row(occurrence("a", 7))], FirstSeen(day(7), A, 1, day(7))),
        ([row(occurrence("a", 9)), row(occurrence("a"))], FirstSeen(day(9), A, 1, day(9))),
    ],
)
def test_first_seen_is_the_earliest_date_known(rows: list[dict[str, Any]], expected: FirstSeen):
    """Published, else captured, over all rows of the content; without any date the first row names itself."""
    assert first_seen(rows) == expected


def test_contents_are_dated_together_by_the_earliest():
    """The first date names the uri, all places count, and the first publication is kept beside an earlier capture."""
    undated, captured = FirstSeen(None, "u", 1), FirstSeen(day(2), "c", 3)
    published, later = FirstSeen(day(5), "p", 1, day(5)), FirstSeen(day(7), "q", 2, day(7))
    assert merge_first_seen([undated, later, captured, published]) == FirstSeen(day(2), "c", 7, day(5))
    assert merge_first_seen([undated, FirstSeen(None, "v", 1)]) == FirstSeen(None, "u", 2)


def test_an_occurrence_cannot_be_changed():
    """Occurrences are shared between the rows that are merged."""
    with pytest.raises(AttributeError):
        occurrence("a").published_at = datetime.now()  # type: ignore[misc]
