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
# Copies under overlays agree in so much; more says nothing, since other photographs of a scene may agree all over.
ENOUGH_AGREEMENT = 0.6


def measures(evidence: Evidence) -> dict[str, float]:
    """Returns the numbers by name that the probability is computed from; fewer where no pixels were compared."""
    neither_whole = 1 - max(evidence.query_overlap, evidence.photo_overlap)
    common = {
        "inliers": float(np.log1p(evidence.inliers)),
        "neither_whole": neither_whole,
        "skew": float(np.log(evidence.skew + 0.003)),
    }
    if evidence.dense is None:
        share = evidence.inliers / max(evidence.matches, 1)
        return common | {"inlier_share": share, "residual": float(np.log(evidence.residual + NOISE_PIXELS))}
    return common | _of_pixels(evidence.dense, evidence.photo_overlap)


def _of_pixels(dense: Dense, photo_overlap: float) -> dict[str, float]:
    whole = float(np.clip((photo_overlap - PART) / (WHOLE - PART), 0, 1))
    perspective = float(np.log1p(dense.perspective / NOISE_PIXELS))
    displacement, far, parallax = np.log(np.array([*dense.displacement, dense.parallax]) + NOISE_PIXELS).tolist()
    return {
        "agreement": min(dense.agreement, ENOUGH_AGREEMENT),
        "correlation": -float(np.log(1.02 - dense.correlation)),
        "displacement": displacement,
        "far_displacement": far,
        "parallax": parallax,
        "perspective_of_part": perspective * (1 - whole),
        "perspective_of_whole": perspective * whole * (1 - dense.agreement),
        "tracked": dense.tracked,
        "blocks": float(np.log(dense.blocks + 3)),
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


@cache
def _regressions() -> Mapping[str, Regression]:
    held = json.loads(CALIBRATION_FILE.read_text())["regressions"]
    return {name: Regression(one["weights"], one["intercept"]) for name, one in held.items()}
