"""The regression of the score: what its weights may be."""

import numpy as np

from evaluation.regression import Example, fit
from serving.match.calibrate import Regression

WEIGHTS = {"copy": 0.5, "scene": 0.4, "stranger": 0.1}


def examples(generator: np.random.Generator, group: str, middle: float, count: int) -> list[Example]:
    """Examples of a group of which one measure lies around a value, beside one that says nothing."""
    return [
        Example(group, {"parallax": float(value), "skew": float(generator.normal())})
        for value in generator.normal(middle, 1, count)
    ]


def test_copies_and_others_are_told_apart_by_what_tells_them_apart():
    """Weights are of the measures as they are, not of scaled ones, and groups count by their weight, not their size."""
    generator = np.random.default_rng(0)
    parts = [("copy", 9, 200), ("scene", 13, 300), ("stranger", 14, 3_000)]
    found = fit(
        [one for group, middle, count in parts for one in examples(generator, group, middle, count)],
        wanted="copy",
        group_weights=WEIGHTS,
    )
    regression = Regression(found["weights"], found["intercept"])
    assert regression.probability({"parallax": 9, "skew": 0}) > 0.95
    assert regression.probability({"parallax": 13, "skew": 0}) < 0.05
    assert 0.2 < regression.probability({"parallax": 11, "skew": 0}) < 0.8
    assert found["weights"]["parallax"] < -0.5 < found["weights"]["skew"]


def test_no_weight_has_the_wrong_sign():
    """Where examples say that parallax speaks for a copy, it is left out rather than believed."""
    generator = np.random.default_rng(0)
    parts = [("copy", 6, 50), ("scene", 3, 50)]
    found = fit(
        [one for group, middle, count in parts for one in examples(generator, group, middle, count)],
        wanted="copy",
        group_weights=WEIGHTS,
    )
    assert found["weights"]["parallax"] == 0
