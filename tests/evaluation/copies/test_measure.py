"""Answers become figures: by kind, by part, over negatives and scenes."""

import pytest

from evaluation.copies.answered import Answered, Found, from_answers
from evaluation.copies.measure import NOT_FOUND, detection, false_alarms_at_precision, measure
from evaluation.copies.plan import CopyQuery
from evaluation.copies.result import FalseAlarms
from tests.builders import day, match, no_match
from tests.evaluation.copies.made_answers import COSTS, DAY, copy, negative, scene_query

DATES = dict.fromkeys("abcdex", DAY)
ASKED = [
    copy("a", Found("a", 0.9, "recoloured", DAY), Found("b", 0.3, "similar")),
    copy("b", Found("c", 0.8, "recoloured", DAY), Found("b", 0.6, "edited", DAY), kind="mirrored", verdict="mirrored"),
    copy("c", Found("c", 0.4, "similar", None), kind="mirrored", verdict="mirrored"),
    copy("d", kind="chain_of_2", verdict="edited"),
    negative("n", Found("a", 0.7, "cropped")),
    negative("m", Found("b", 0.2, "similar")),
    negative("o"),
    negative("p", kind="mirrored"),
    scene_query("s", "xyz", Found("x", 0.95, "cropped", DAY), Found("z", 0.6, "cropped", DAY)),
    scene_query("t", "v", Found("v", 0.45, "same_scene", DAY)),
    scene_query("u", "v", Found("x", 0.55, "cropped", DAY)),
    (CopyQuery(group="made", kind="made_by_others", source="f", right="e"), Answered("matched", [Found("e", 0.85)])),
    (CopyQuery(group="made", kind="made_by_others", source="g", right="e"), Answered("no_match", [])),
    (CopyQuery(group="unedited", kind="unedited", source="a", right="a", verdict="identical"),
     Answered("matched", [Found("a", 1.0, "identical", DAY)])),
]  # fmt: skip


@pytest.fixture(scope="module")
def measured():
    """The figures of those answers."""
    return measure(ASKED, photos=5, dates=DATES, costs=COSTS)


def test_figures_over_all_copies(measured):
    """Two of four first; the ranking 0.9 right, 0.8 wrong, 0.7 wrong, 0.6 right, 0.4 right, and below only wrong."""
    assert measured.copies.queries == 4
    assert measured.copies.recall_at_1 == 0.5
    assert measured.copies.micro_average_precision == pytest.approx((1 + 2 / 4 + 3 / 5) / 4)
    assert measured.copies.recall_at_precision_90 == 0.25
    assert measured.copies.found_as_copy == 0.5  # b is named second, but with 0.6


def test_verdict_and_date_are_of_the_photos_found_first(measured):
    """a has both, c neither; b was not first."""
    assert measured.copies.right_verdict == 0.5
    assert measured.copies.right_date == 0.5


def test_kinds_stand_alone_against_all_negatives(measured):
    """Of the mirrored ones, b is below a wrong one of its own and one negative."""
    by_kind = {one.kind: one for one in measured.kinds}
    assert by_kind["grey"].detection.recall_at_1 == 1
    assert by_kind["mirrored"].detection.micro_average_precision == pytest.approx((1 / 3 + 2 / 4) / 2)
    assert by_kind["mirrored"].verdicts == ["mirrored"]
    assert by_kind["chain_of_2"].detection.right_verdict is None
    assert {name: one.queries for name, one in measured.parts.items()} == {
        "everyday": 3,
        "chains": 1,
        "made by others": 2,
    }


def test_what_others_made_is_a_part_of_its_own(measured):
    """One of two is found, before the first negative; no verdict is known, and no date was given."""
    made = measured.parts["made by others"]
    assert (made.recall_at_1, made.micro_average_precision, made.found_as_copy) == (0.5, 0.5, 0.5)
    assert (made.right_verdict, made.right_date) == (None, 0)
    assert {one.kind: one.verdicts for one in measured.kinds}["made_by_others"] == []


def test_unedited_files_are_told_apart(measured):
    """The very file is a kind of its own, and not among the copies."""
    assert {one.kind: one.part for one in measured.kinds}["unedited"] == "unedited"
    assert measured.confusion["identical"] == {"identical": 1}


def test_false_alarms_are_counted_by_query(measured):
    """One of four negatives is answered as a copy, and one of three photographs of two scenes, of two of its three."""
    assert measured.false_alarms == {
        "negatives": FalseAlarms(asked=4, answered=1),
        "negatives, unedited": FalseAlarms(asked=3, answered=1),
        "negatives, edited": FalseAlarms(asked=1, answered=0),
        "other photographs of a scene": FalseAlarms(asked=3, answered=1),
        "pairs of photographs of a scene": FalseAlarms(asked=5, answered=2),
    }


def test_confusion_is_of_the_right_photo_wherever_it_ranks(measured):
    """b was called edited at rank 2; d was not named at all."""
    assert measured.confusion == {
        "edited": {NOT_FOUND: 1},
        "identical": {"identical": 1},
        "mirrored": {"edited": 1, "similar": 1},
        "recoloured": {"recoloured": 1},
    }


def test_calibration_is_of_first_answers(measured):
    """Each query that was answered counts once, those of scenes and negatives as wrong."""
    assert sum(one.predictions for one in measured.reliability) == 8
    assert {one.low: one.share_right for one in measured.reliability}[0.9] == 0.5


def test_a_method_without_verdicts_gets_none():
    """Only the ranking of other methods is measured, and false alarms where nine of ten answers are right."""
    copies, negatives = ASKED[:3], ASKED[4:8]
    assert detection(copies, negatives).right_verdict is None
    assert false_alarms_at_precision(copies, negatives) == 0
    assert false_alarms_at_precision([copies[1]], negatives) is None


def test_answers_are_read_by_the_contract_alone():
    """A file of the archive is named by its photo, wherever it lies; a query without a match has no answer."""
    rows = [match(photo_id="earlier/0123.jpg", score=0.75, verdict="cropped", first_seen_at=day(1))]
    assert from_answers(rows) == Answered("matched", [Found("0123", 0.75, "cropped", day(1))])
    assert from_answers([no_match()]) == Answered("no_match", [])
