"""Outcomes of queries that could be decoded: which matches are listed, and why there are none."""

import numpy as np
import pytest

from foundation.photos.metadata import PhotoMetadata
from foundation.photos.photo import Photo
from serving.match.decoded_query import DecodedQuery
from serving.match.match import Match, Outcome
from serving.match.options import MatchOptions
from serving.match.outcome import NOT_IN_ARCHIVE, outcome_of
from tests.evidence import made_match

CHEQUERED = (np.indices((8, 8)).sum(axis=0) % 2 * 255).astype(np.uint8)
ASKED = DecodedQuery("q.jpg", Photo(np.dstack([CHEQUERED] * 3), bytes(32), 8, 8, "JPEG", PhotoMetadata()))
COPY, BETTER = made_match("a", score=0.8), made_match("b", score=0.9)
SIMILAR = made_match("c", verdict="similar", score=0.4)


def outcome(*matches: Match, is_proved: bool = True, **options: float) -> Outcome:
    """Returns the outcome of a query with these matches."""
    return outcome_of(ASKED, matches, MatchOptions(**options), is_proved=is_proved)


def scores(found: Outcome) -> list[float]:
    """Returns the scores of what is listed."""
    return [match.verdict.score for match in found.matches]


def test_copies_come_by_their_score_and_what_is_similar_is_left_out():
    """It is listed below them where it is asked for, and cut off with all that is below the first ones."""
    assert scores(outcome(SIMILAR, COPY, BETTER)) == [0.9, 0.8]
    assert scores(outcome(SIMILAR, COPY, BETTER, similar=True)) == [0.9, 0.8, 0.4]
    assert scores(outcome(SIMILAR, COPY, BETTER, similar=True, top_k=1)) == [0.9]


@pytest.mark.parametrize(
    ("matches", "reason"),
    [((), NOT_IN_ARCHIVE), ((SIMILAR,), NOT_IN_ARCHIVE), ((SIMILAR, COPY, BETTER), "no copy scores 0.95 or more")],
    ids=["nothing", "only similar", "copies that score less"],
)
def test_only_a_photo_without_any_copy_is_not_in_the_archive(matches: tuple[Match, ...], reason: str):
    """A copy that scores less than was asked for is left out, and not denied."""
    found = outcome(*matches, min_score=0.95)
    assert (found.status, found.reason, list(found.matches)) == ("no_match", reason, [])


def test_without_local_features_what_is_similar_is_the_answer():
    """Nothing can be proved there, and nothing is denied."""
    assert outcome(SIMILAR, is_proved=False).status == "matched"
    found = outcome(SIMILAR, is_proved=False, min_score=0.5)
    assert (found.status, found.reason) == ("no_match", "no photo scores 0.5 or more")
