"""Reads what was measured off a result, writes it, and says when two values count as equal."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from evaluation.study.result import DISTURBANCES, Result

# One seed was run, so nobody knows how far chance goes: these bounds, below which nothing counts as a difference, are
# chosen.
EQUAL_SHARES = 0.005
EQUAL_ERRORS = 0.05
# This one is two standard errors of a difference of shares around a half, of 2,000 queries each.
EQUAL_ROBUSTNESS = 0.03


@dataclass(frozen=True, kw_only=True)
class Measure:
    """`heading` names it in a table, `words` in a sentence.

    Values differ by more than `equal`, of which `relative` says whether it is a part of the smaller value.
    """

    heading: str
    words: str
    of: Callable[[Result], float | None]
    text: Callable[[float], str]
    better: Literal["lower", "higher"]
    equal: float = 0.0
    relative: bool = False

    def compare(self, one: Result, other: Result) -> int | None:
        """Returns 1 if the first is better, -1 if it is worse, 0 if they are equal, None if either is unknown."""
        first, second = self.of(one), self.of(other)
        if first is None or second is None:
            return None
        margin = self.equal * (min(first, second) if self.relative else 1)
        if abs(first - second) <= margin:
            return 0
        return 1 if (first > second) == (self.better == "higher") else -1

    def written(self, result: Result) -> str:
        """Returns the value as text, a dash if there is none."""
        value = self.of(result)
        return "–" if value is None else self.text(value)

    def best(self, results: list[Result]) -> Result | None:
        """Returns the first of the best results, None if none has a value."""
        known = [result for result in results if self.of(result) is not None]
        sign = 1 if self.better == "higher" else -1
        return max(known, key=lambda result: sign * (self.of(result) or 0.0)) if known else None


def duration(seconds: float) -> str:
    """Returns seconds as people say them: `45 s`, `3 min 20 s`, `1 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def rate(per_second: float) -> str:
    """Returns a rate with three digits that count: `12,300`."""
    return f"{float(f'{per_second:.3g}'):,.0f}" if per_second >= 100 else f"{per_second:.3g}"


def mean_robustness(result: Result) -> float | None:
    """Returns the mean share over all disturbances, None unless every one was measured."""
    known = [result.robustness[name] for name in DISTURBANCES if name in result.robustness]
    return fmean(known) if len(known) == len(DISTURBANCES) else None


def _share(heading: str, words: str, of: Callable[[Result], float | None], *, equal: float = EQUAL_SHARES) -> Measure:
    return Measure(heading=heading, words=words, of=of, text="{:.3f}".format, better="higher", equal=equal)


def _error(heading: str, words: str, of: Callable[[Result], float | None]) -> Measure:
    text = "{:.5f}".format
    return Measure(heading=heading, words=words, of=of, text=text, better="lower", equal=EQUAL_ERRORS, relative=True)


def _disturbance(name: str) -> Measure:
    return _share(name, f"found again after {name}", lambda result: result.robustness.get(name), equal=EQUAL_ROBUSTNESS)


TRAINING_ERROR = _error("MSE training", "training MSE", lambda r: r.errors.training if r.errors else None)
VALIDATION_ERROR = _error("MSE validation", "validation MSE", lambda r: r.errors.validation if r.errors else None)
TEST_ERROR = _error("MSE test", "test MSE", lambda r: r.errors.test if r.errors else None)
TRAINING_TIME = Measure(
    heading="training", words="training time", of=lambda r: r.training_seconds, text=duration, better="lower"
)
ENCODE_RATE = Measure(
    heading="encodes photos/s", words="photos encoded a second", of=lambda r: r.encode_per_second, text=rate,
    better="higher",
)  # fmt: skip
PRECISION_AT_4 = _share("precision@4", "precision@4", lambda r: r.retrieval.precision_at_4)
PRECISION_AT_10 = _share("precision@10", "precision@10", lambda r: r.retrieval.precision_at_10)
MEAN_AVERAGE_PRECISION = _share("mAP", "mean average precision", lambda r: r.retrieval.mean_average_precision)
PIXEL_RECALL = _share("pixel recall@10", "pixel recall@10", lambda r: r.retrieval.pixel_recall_at_10)
EUCLIDEAN = _share("Euclidean", "precision@10 by Euclidean distance", lambda r: r.retrieval.euclidean)
COSINE = _share("cosine", "precision@10 by cosine", lambda r: r.retrieval.cosine)
ROBUSTNESS = tuple(_disturbance(name) for name in DISTURBANCES)
MEAN_ROBUSTNESS = _share("mean", "found again, mean of the disturbances", mean_robustness, equal=EQUAL_ROBUSTNESS)
