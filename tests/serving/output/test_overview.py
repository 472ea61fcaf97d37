"""The overview: a row for each query, which says what it came to without its part of the page."""

import pytest

from serving.answers import Answer
from serving.output.overview import counts_of, row_of
from serving.output.view import Sight, view_of
from tests.builders import day, match, no_match


def view(*answers: Answer) -> dict:
    """Returns what templates take of a query whose pictures are of no matter."""
    return view_of(3, answers, Sight(query=None, photo=lambda answer: None))


def row(*answers: Answer) -> dict:
    """Returns the row of a query."""
    return row_of(view(*answers), "small.jpg")


def test_a_copy_has_its_verdict_date_and_score():
    """Those of the copy that was published first, which is the finding; a contradiction is told here already."""
    first = {"first_seen_at": day(1), "first_seen_uri": "file:///old.jpg"}
    found = row(
        match(verdict="cropped", score=0.9, uri="file:///new.jpg", **first),
        match(rank=2, verdict="mirrored", score=0.8, uri="file:///old.jpg", claim="contradicted", **first),
    )
    assert (found["number"], found["picture"], found["heading"]) == (3, "small.jpg", "Seen before")
    assert (found["verdict"], found["day"], found["score"]) == ("mirrored", "2 January 1970", 0.8)
    assert found["is_contradicted"]
    assert found["others"] == 0


def test_a_collage_counts_its_other_photos():
    """The row tells the photo that was seen first."""
    parts = [
        match(rank=rank, verdict="embedded", first_seen_at=day(9 - rank), first_seen_uri=f"file:///{rank}.jpg")
        for rank in (1, 2, 3)
    ]
    found = row(*parts)
    assert (found["day"], found["others"]) == ("7 January 1970", 2)


def test_a_date_of_a_file_is_told_as_such():
    """In the column of dates, too: anybody can set it."""
    assert row(match(verdict="cropped", first_seen_basis="captured"))["day"].startswith("captured 2 January 1970")
    assert row(match(verdict="cropped", first_seen_at=None))["day"] == "in the archive, without a date"


@pytest.mark.parametrize(
    ("answer", "heading", "reason"),
    [
        (no_match(reason="not in this archive: no photo"), "Not in this archive", ""),
        (
            no_match(status="rejected", reason="not_a_photo: x"),
            "Not looked up",
            "This file is no photo that can be read.",
        ),
        (
            no_match(status="not_matchable", reason="blank: x"),
            "Cannot be matched",
            "This photo is one flat colour: there is nothing to know it by.",
        ),
        (match(), "No proof of a copy", ""),
    ],
)
def test_what_has_no_copy_has_no_date(answer: Answer, heading: str, reason: str):
    """Nor the score of what only looks alike; why a file was not looked up stands in its row."""
    found = row(answer)
    assert (found["heading"], found["reason"]) == (heading, reason)
    assert (found["verdict"], found["day"], found["score"]) == ("", "", None)


def test_queries_are_counted_by_what_they_came_to():
    """In the order of the headings; what there is none of is not named."""
    views = [view(no_match()), view(match(verdict="cropped")), view(no_match())]
    assert counts_of(views) == "1 seen before, 2 not in this archive"
