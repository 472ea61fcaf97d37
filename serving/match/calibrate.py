"""Turns evidence into the probability that the archive's photo is the source of the query."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from serving.match.evidence import Dense, Evidence

CALIBRATION_FILE = Path(__file__).with_name("calibration.json")
# Below a twentieth of a pixel of the thumbnail differences mean nothing: compression moves places by that.
NOISE_PIXELS = 0.05
# Photographed prints and screens show the whole photo; a camera that turned shows parts of what it saw before.
PART, WHOLE = 0.90, 0.98
NAMES = (
    "inliers",
    "agreement",
    "correlation",
    "displacement",
    "far_displacement",
    "roughness",
    "perspective_of_part",
    "perspective_of_whole",
    "neither_whole",
    "tracked",
    "blocks",
    "skew",
)


def measures(evidence: Evidence) -> np.ndarray:
    """Returns what the probability is computed from, float64 [12], named by `NAMES`; without pixels most are 0."""
    neither = 1 - max(evidence.query_overlap, evidence.photo_overlap)
    inliers = np.log(evidence.inliers)
    if evidence.dense is None:
        return np.array([inliers, *[0.0] * 7, neither, 0.0, 0.0, 0.0])
    return np.array([inliers, *_of_pixels(evidence.dense, evidence.photo_overlap), neither, *_rest(evidence)])


def _of_pixels(dense: Dense, photo_overlap: float) -> Sequence[float]:
    whole = float(np.clip((photo_overlap - PART) / (WHOLE - PART), 0, 1))
    perspective = float(np.log1p(dense.perspective / NOISE_PIXELS))
    logs = [float(np.log(part + NOISE_PIXELS)) for part in (*dense.displacement, dense.roughness)]
    doubt = -float(np.log(1.02 - dense.correlation))
    return [dense.agreement, doubt, *logs, perspective * (1 - whole), perspective * whole]


def _rest(evidence: Evidence) -> Sequence[float]:
    assert evidence.dense is not None
    return [evidence.dense.tracked, float(np.log(evidence.dense.blocks + 3)), float(np.log(evidence.skew + 0.003))]


def score(evidence: Evidence) -> float:
    """Returns the calibrated probability, 0 to 1; of evidence without pixels it is never above a half.

    It is a logistic regression on copies, other photographs of a scene, and strangers; see the file's `made_by`.
    """
    means, scales, weights, intercept = _coefficients()
    value = float(((measures(evidence) - means) / scales) @ weights + intercept)
    probability = 1 / (1 + float(np.exp(-np.clip(value, -30, 30))))
    return probability


@cache
def _coefficients() -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    held = json.loads(CALIBRATION_FILE.read_text())
    means, scales, weights = (np.array([held[part][name] for name in NAMES]) for part in ("mean", "scale", "weight"))
    return means, scales, weights, float(held["intercept"])
