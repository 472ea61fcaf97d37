"""Measures copy detection: micro average precision, recall at a precision, calibration.

All of it works on predictions: pairs of a query and a photo of the archive, each with the score that a method gave it.
"""

from dataclasses import dataclass

import numpy as np

from foundation.errors import UsageError

BINS = 10


@dataclass(frozen=True, kw_only=True)
class Bin:
    """The predictions whose score is from `low` up to `high`: their mean score, and the share of them that is right."""

    low: float
    high: float
    predictions: int
    mean_score: float
    share_right: float


def micro_average_precision(scores: np.ndarray, right: np.ndarray, *, positives: int) -> float:
    """Returns the average precision over the predictions of all queries in one ranking.

    Recall counts against every query that has a photo to find, whether a prediction names it or not. Predictions of
    one score enter the ranking together, so that the order of the input counts for nothing.

    scores: float [n], right: bool [n], `positives` how many right predictions there can be. Raises UsageError where
    that is none, or fewer than there are.
    Source: Douze et al., "The 2021 Image Similarity Dataset and Challenge", 2021 (section 4, µAP).
    """
    precision, recall, _ = _curve(scores, right, positives)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def recall_at_precision(
    scores: np.ndarray, right: np.ndarray, *, positives: int, precision: float = 0.9
) -> tuple[float, float | None]:
    """Returns (recall, score) of the lowest score above which that share of the predictions is right.

    Where no score reaches the precision, (0, None). Arguments and errors as of `micro_average_precision`.
    """
    reached, recall, thresholds = _curve(scores, right, positives)
    above = np.flatnonzero(reached >= precision)
    return (float(recall[above[-1]]), float(thresholds[above[-1]])) if len(above) else (0.0, None)


def _curve(scores: np.ndarray, right: np.ndarray, positives: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns precision, recall and score at each score that occurs, from the highest on."""
    named = int(np.count_nonzero(right))
    if positives < max(1, named):
        raise UsageError(
            f"{named} right predictions of {positives} that there can be; expected at least one "
            "query with a photo to find, and each photo found once"
        )
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(right[order])
    # Only the last of equal scores is a point of the curve: a threshold lets all of them in, or none.
    ends = np.flatnonzero(np.diff(ranked, append=-np.inf))
    return hits[ends] / (ends + 1), hits[ends] / positives, ranked[ends]


def reliability(scores: np.ndarray, right: np.ndarray) -> list[Bin]:
    """Returns the predictions in ten bins of equal width, empty ones left out.

    scores: float [n] in [0, 1], right: bool [n].
    Source: Niculescu-Mizil and Caruana, "Predicting Good Probabilities with Supervised Learning", ICML 2005.
    """
    numbers = np.minimum((scores * BINS).astype(int), BINS - 1)
    bins = []
    for number in np.unique(numbers):
        members = numbers == number
        bins.append(
            Bin(
                low=float(number / BINS),
                high=float((number + 1) / BINS),
                predictions=int(np.count_nonzero(members)),
                mean_score=float(scores[members].mean()),
                share_right=float(right[members].mean()),
            )
        )
    return bins


def expected_calibration_error(bins: list[Bin]) -> float:
    """Returns the mean distance of score and share of right predictions, 0 to 1, each bin weighted by its size.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017. NaN without a prediction.
    """
    total = sum(one.predictions for one in bins)
    if not total:
        return float("nan")
    return sum(one.predictions * abs(one.mean_score - one.share_right) for one in bins) / total
