"""The time line: publications between the first and the last, with the claimed date among them."""

from dataclasses import replace
from datetime import timedelta

from foundation.store.occurrences import Occurrence
from serving.match.claim import parse_claimed_date
from serving.output.time_line import SHOWN, time_line
from tests.builders import day


def at(*days: int | None) -> list[Occurrence]:
    """Returns photos that were published on these days; None has no date."""
    return [Occurrence(f"{one}.jpg", f"file:///{one}.jpg", None if one is None else day(one)) for one in days]


def test_publications_lie_where_their_days_do():
    """The first at the left end, the last at the right one; what has no date is counted."""
    line = time_line(at(30, None, 10, 15))
    assert [(one.at, one.photo_id) for one in line.points] == [(0, "10.jpg"), (25, "15.jpg"), (100, "30.jpg")]
    assert (line.first, line.last, line.undated) == ("11 January 1970", "31 January 1970", 1)
    assert line.claimed is None


def test_the_claimed_date_has_its_place():
    """Beyond the last publication it is the right end."""
    line = time_line(at(10, 20), parse_claimed_date("1970-01-31T00:00Z"))
    assert [one.at for one in line.points] == [0, 50]
    assert (line.claimed, line.last) == (100, "31 January 1970")


def test_a_claimed_day_lies_after_the_day_before_it():
    """It begins fourteen hours before it does in UTC, but a line that runs backwards is none."""
    evening = [replace(one, published_at=day(10) + timedelta(hours=19)) for one in at(10)]
    line = time_line(evening, parse_claimed_date("1970-01-12"))
    assert ([one.at for one in line.points], line.claimed) == ([0], 100)
    assert (line.first, line.last, line.claimed_day) == ("11 January 1970", "12 January 1970", "12 January 1970")


def test_one_day_lies_in_the_middle():
    """There is nothing that it could be left or right of."""
    assert [one.at for one in time_line(at(10, 10)).points] == [50, 50]


def test_nothing_dated_is_no_line():
    """Whatever is claimed."""
    line = time_line(at(None), parse_claimed_date("2024-05-01"))
    assert (line.points, line.undated, line.claimed) == ([], 1, None)


def test_a_long_line_is_cut():
    """What is not listed is counted."""
    line = time_line(at(*range(SHOWN + 5)))
    assert (len(line.points), line.more) == (SHOWN, 5)


def test_words_of_strangers_are_printable():
    """Marks of direction are shown as a sign."""
    one = Occurrence("a\u202e", "file:///a%20b", day(1), caption="c\x07", credit="d")
    (point,) = time_line([one]).points
    assert (point.photo_id, point.uri, point.caption, point.credit) == ("a�", "file:///a b", "c�", "d")
