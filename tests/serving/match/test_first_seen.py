"""First seen over copies: by the part of the query that they show."""

from datetime import datetime

import numpy as np

from foundation.store.occurrences import FirstSeen
from serving.match.first_seen import first_seen_by_part
from serving.match.footprint import Size
from serving.match.match import Match
from tests.builders import day
from tests.evidence import made_evidence, made_match

QUERY = Size(200, 100)


def copy(name: str, left: float, top: float, width: float, *, at: int | None, verdict: str = "embedded") -> Match:
    """Returns a copy whose photo of 400 by 400 covers a square of the query."""
    to_query = np.array([[width / 400, 0, left], [0, width / 400, top], [0, 0, 1]])
    seen = FirstSeen(day(at) if at else None, name, 1, day(at) if at else None)
    size = {"width": 400, "height": 400}
    return made_match(name, verdict=verdict, seen=seen, evidence=made_evidence(np.linalg.inv(to_query)), photo=size)


def dated(*matches: Match) -> list[tuple[datetime | None, str, int]]:
    """Returns what the matches say of their dates afterwards."""
    return [(match.seen.at, match.seen.uri, match.seen.occurrences) for match in first_seen_by_part(matches, QUERY)]


def test_copies_of_one_part_share_their_first_date():
    """An edited copy that was indexed earlier dates the original too, and every place of both counts."""
    found = dated(copy("late", 0, 0, 100, at=9), copy("early", 2, 1, 97, at=4), copy("undated", 0, 0, 100, at=None))
    assert found == [(day(4), "early", 3)] * 3


def test_the_photos_of_a_collage_have_dates_of_their_own():
    """The left photo's date says nothing of the right one."""
    assert dated(copy("left", 0, 0, 100, at=4), copy("right", 100, 0, 100, at=9)) == [
        (day(4), "left", 1),
        (day(9), "right", 1),
    ]


def test_a_whole_collage_does_not_join_its_photos():
    """The archive's own collage shows both, and dates both; through it the one photo does not date the other."""
    seen = FirstSeen(day(6), "whole", 1, day(6))
    whole = made_match("whole", verdict="identical", seen=seen)
    assert dated(whole, copy("left", 0, 0, 100, at=4), copy("right", 100, 0, 100, at=9)) == [
        (day(4), "left", 3),
        (day(4), "left", 2),
        (day(6), "whole", 2),
    ]


def test_a_crop_belongs_to_its_photo():
    """A crop that was published earlier shows that the photo existed then: the share is of the smaller part."""
    assert dated(copy("photo", 0, 0, 100, at=9), copy("crop", 10, 10, 30, at=4)) == [(day(4), "crop", 2)] * 2


def test_what_is_no_copy_dates_nothing():
    """Another photograph of the scene keeps its own date and its place in the list."""
    other = copy("other", 0, 0, 100, at=1, verdict="same_scene")
    matches = [copy("a", 0, 0, 100, at=4), other, copy("b", 0, 0, 100, at=9)]
    assert dated(*matches) == [(day(4), "a", 2), (day(1), "other", 1), (day(4), "a", 2)]
    assert first_seen_by_part(matches, QUERY)[1] is other


def test_an_impossible_transform_is_a_part_of_its_own():
    """It covers nothing that others could share, and is no reason to fail."""
    broken = made_match("broken", evidence=made_evidence(np.zeros((3, 3))))
    assert dated(broken, copy("a", 0, 0, 100, at=1))[0] == (day(3), "file:///broken.jpg", 1)
