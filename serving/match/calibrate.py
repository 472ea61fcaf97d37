"""Turns evidence into the probability that the archive's photo is the source of the query."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from serving.match.evidence import Dense, Evidence

# Made by `python -m evaluation.calibrate`.
CALIBRATION_FILE = Path(__file__).with_name("calibration.json")
# Compression alone moves places by this, in pixels of the thumbnail: less says nothing.
NOISE_PIXELS = 0.05
# Photographed prints and screens show the whole photo; a camera that turned shows a part of what it saw before.
PART, WHOLE = 0.90, 0.98


def measures(evidence: Evidence) -> dict[str, float]:
    """Returns the numbers by name that the probability is computed from; the more of any, the less likely a copy is.

    How many keypoints or blocks agree is none of them: other photographs of a scene agree as much. It is what
    `serving.match.verdict` asks first.
    """
    common = {
        "neither_whole": 1 - max(evidence.query_overlap, evidence.photo_overlap),
        "skew": float(np.log(evidence.skew + 0.003)),
    }
    if evidence.dense is None:
        return common | {"residual": float(np.log(evidence.residual + NOISE_PIXELS))}
    return common | _of_pixels(evidence.dense, evidence.photo_overlap)


def _of_pixels(dense: Dense, photo_overlap: float) -> dict[str, float]:
    whole = float(np.clip((photo_overlap - PART) / (WHOLE - PART), 0, 1))
    return {
        "displacement": float(np.log(dense.displacement + NOISE_PIXELS)),
        "parallax": float(np.log(dense.parallax + NOISE_PIXELS)),
        "perspective_of_part": float(np.log1p(dense.perspective / NOISE_PIXELS)) * (1 - whole),
    }


class Regression(NamedTuple):
    """A logistic regression over measures by name, of each its weight, and what is added at the end."""

    weights: Mapping[str, float]
    intercept: float

    def probability(self, values: Mapping[str, float]) -> float:
        """Returns the probability, 0 to 1."""
        total = self.intercept + sum(weight * values[name] for name, weight in self.weights.items())
        return 1 / (1 + float(np.exp(-np.clip(total, -30, 30))))


def score(evidence: Evidence) -> float:
    """Returns the calibrated probability, 0 to 1, that the query was made from the photo.

    The number of photos in the archive has no part in it: more of them bring more strangers that share a few
    keypoints by chance, and pixels tell these apart from copies as surely in a large archive as in a small one.
    """
    which = "without_pixels" if evidence.dense is None else "with_pixels"
    return _regressions()[which].probability(measures(evidence))


def laid_over(look_of_added: Mapping[str, float]) -> float:
    """Returns the probability, 0 to 1, that what was added to a photo was laid over it, and is no part of a photo."""
    return _regressions()["laid_over"].probability(look_of_added) if look_of_added else 1.0


@cache
def _regressions() -> Mapping[str, Regression]:
    held = json.loads(CALIBRATION_FILE.read_text())["regressions"]
    return {name: Regression(one["weights"], one["intercept"]) for name, one in held.items()}
