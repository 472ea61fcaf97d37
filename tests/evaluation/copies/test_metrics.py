"""Copy detection is measured as the field does: examples by hand, and a second opinion."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from evaluation.copies import metrics
from foundation.errors import UsageError


def average_precision(pairs: list[tuple[float, bool]], positives: int) -> float:
    """Returns the micro average precision of (score, right) pairs."""
    scores, right = np.array([score for score, _ in pairs]), np.array([right for _, right in pairs])
    return metrics.micro_average_precision(scores, right, positives=positives)


def test_micro_average_precision_by_hand():
    """Right at ranks 1 and 3 of 4, and one photo never named: (1/1 + 2/3) / 3."""
    assert average_precision([(0.9, True), (0.8, False), (0.7, True), (0.1, False)], 3) == pytest.approx(
        (1 + 2 / 3) / 3
    )


def test_a_ranking_without_a_mistake_is_worth_its_recall():
    """Two of four photos named, nothing wrong."""
    assert average_precision([(0.9, True), (0.8, True)], 4) == 0.5


def test_equal_scores_enter_together():
    """The order of the input gives no better figure: one right among two of one score is a precision of a half."""
    assert average_precision([(0.5, True), (0.5, False)], 1) == average_precision([(0.5, False), (0.5, True)], 1) == 0.5


def test_nothing_answered_is_worth_nothing():
    """No prediction at all: zero, and no recall at any precision."""
    empty = np.empty(0), np.empty(0, bool)
    assert metrics.micro_average_precision(*empty, positives=3) == 0
    assert metrics.recall_at_precision(*empty, positives=3) == (0, None)


@pytest.mark.parametrize(("right", "positives"), [([True, True], 1), ([], 0)])
def test_more_right_answers_than_there_can_be_are_refused(right: list[bool], positives: int):
    """A photo that counts twice, or queries without any photo to find, would give a figure of no meaning."""
    with pytest.raises(UsageError, match=r"right predictions of \d that there can be"):
        metrics.micro_average_precision(np.ones(len(right)), np.array(right, bool), positives=positives)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.7, 0.9]), st.booleans()), min_size=1, max_size=40))
def test_micro_average_precision_agrees_with_scikit_learn(pairs: list[tuple[float, bool]]):
    """Where every photo is named, both definitions are the same."""
    scores, right = np.array([score for score, _ in pairs]), np.array([right for _, right in pairs])
    if right.any():
        expected = average_precision_score(right, scores)
        assert metrics.micro_average_precision(scores, right, positives=int(right.sum())) == pytest.approx(expected)


def test_recall_at_precision_by_hand():
    """Nine right, one wrong, one right: at nine of ten the threshold lies at the wrong one, or just above 0.9 below."""
    scores = np.linspace(1, 0, 11)
    right = np.array([True] * 9 + [False, True])
    recall, threshold = metrics.recall_at_precision(scores, right, positives=20)
    assert recall == 10 / 20  # 10 of 11 are right at the last one, more than nine of ten
    assert threshold == 0
    assert metrics.recall_at_precision(scores, right, positives=20, precision=0.95) == (9 / 20, pytest.approx(0.2))


def test_a_precision_that_is_never_reached():
    """The surest answer is wrong, and half of all are."""
    assert metrics.recall_at_precision(np.array([0.9, 0.8]), np.array([False, True]), positives=1) == (0, None)


def test_reliability_and_calibration_by_hand():
    """Four answers near 0.8 of which three are right, and one of exactly 1 that is right."""
    scores, right = np.array([0.8, 0.8, 0.82, 0.82, 1.0]), np.array([True, True, True, False, True])
    low, high = metrics.reliability(scores, right)
    assert (low.low, low.high, low.predictions) == (0.8, 0.9, 4)
    assert (low.mean_score, low.share_right) == (pytest.approx(0.81), 0.75)
    assert (high.low, high.high, high.predictions, high.share_right) == (0.9, 1.0, 1, 1.0)
    assert metrics.expected_calibration_error([low, high]) == pytest.approx(4 / 5 * 0.06)
    assert math.isnan(metrics.expected_calibration_error([]))


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60))
def test_bins_hold_every_answer_once(pairs: list[tuple[float, bool]]):
    """Counts add up, and each mean lies in its bin."""
    scores = np.array([score for score, _ in pairs], float)
    bins = metrics.reliability(scores, np.array([right for _, right in pairs], bool))
    assert sum(one.predictions for one in bins) == len(pairs)
    assert all(one.low - 1e-9 <= one.mean_score <= one.high + 1e-9 for one in bins)
