"""Outcomes: what was found, told in the rows of the contract."""

import numpy as np
import pytest

from foundation.store.occurrences import FirstSeen
from serving.answers import NO_COPY, SCHEMA
from serving.match.candidates import Candidate
from serving.match.match import Match, Outcome, answers_of
from serving.match.verdict import Verdict, judge_unverified
from serving.search.snapshot import Place
from tests.builders import day, photo_columns, snapshot
from tests.evidence import made_evidence, made_match


def match_of(photo_id: str, score: float) -> Match:
    """A match of a photo of that name."""
    candidate = Candidate(b"", 2 * score - 1, False, [Place(0, 1)])
    seen = FirstSeen(day(3), "file:///first.jpg", 2, None, "captured")
    return Match(photo_columns(photo_id), Place(0, 1), candidate, Verdict("similar", score), seen)


def test_each_match_is_a_row_with_its_rank():
    """Query, snapshot and encoder stand in every row; the rest is the match's own."""
    outcome = Outcome("q.jpg", "matched", matches=[match_of("a", 0.9), match_of("b", 0.7)])
    answers = answers_of(outcome, snapshot(4))
    first = answers[0]
    assert [(one.rank, one.photo_id, one.score) for one in answers] == [(1, "a", 0.9), (2, "b", 0.7)]
    assert {(one.query, one.status, one.snapshot, one.encoder) for one in answers} == {
        ("q.jpg", "matched", 4, "encoder")
    }
    assert (answers[0].first_seen_at, answers[0].first_seen_uri, answers[0].occurrences) == (
        day(3),
        "file:///first.jpg",
        2,
    )
    assert {field for field in SCHEMA.names if getattr(first, field) is None} == {
        "reason", "inliers", "query_overlap", "photo_overlap", "transform", "published_at", "credit",
        "description", "claim", "source",
    }  # fmt: skip


def test_evidence_fills_its_columns():
    """Overlaps, inliers and the transform row by row; the words that the verdict is told in."""
    match = made_match(evidence=made_evidence(np.arange(9).reshape(3, 3)), description="a crop of 54 %")
    (answer,) = answers_of(Outcome("q.jpg", "matched", matches=[match]), snapshot(4))
    assert (answer.inliers, answer.query_overlap, answer.photo_overlap) == (57, 0.9, 0.54)
    assert answer.transform == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    assert (answer.description, answer.is_copy, answer.claim) == ("a crop of 54 %", True, None)


@pytest.mark.parametrize("name", NO_COPY)
def test_a_claim_is_compared_with_copies_alone(name: str):
    """What is only similar may be as old as it likes."""
    matches = [made_match("a"), made_match("b", verdict=name), made_match("c", seen=FirstSeen(day(1), "c", 1))]
    answers = answers_of(Outcome("q.jpg", "matched", matches=matches), snapshot(4), claimed=day(5))
    assert [one.claim for one in answers] == ["contradicted", None, None]
    assert [one.is_copy for one in answers] == [True, False, True]
    assert [match.is_copy for match in matches] == [True, False, True]


def test_an_outcome_without_matches_is_one_row_with_its_reason():
    """Nobody's question stays without an answer."""
    (answer,) = answers_of(Outcome("q.jpg", "rejected", "empty_file: 0 bytes"), snapshot(4))
    assert (answer.status, answer.reason, answer.rank, answer.photo_id) == (
        "rejected",
        "empty_file: 0 bytes",
        None,
        None,
    )


def test_a_verdict_rests_on_the_bytes_alone():
    """The nearest vector of all is no proof; the same bytes are, and their score is 1."""
    assert judge_unverified(Candidate(b"", 1.0, False, []), "cosine") == ("similar", 1.0)
    assert judge_unverified(Candidate(b"", 1.0, True, []), "euclidean") == ("identical", 1.0)
    assert judge_unverified(Candidate(b"", 0.0, False, []), "cosine") == ("similar", 0.5)
