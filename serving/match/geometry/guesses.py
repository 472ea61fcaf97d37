"""Guesses how a query may lie on a photo where too few keypoints say so, and which guess pixels speak for."""

from collections.abc import Iterator

import cv2
import numpy as np

from serving.match.evidence import Size
from serving.match.geometry.alignment import Comparison
from serving.match.geometry.matching import Matches
from serving.match.geometry.transform import is_possible, scaling

# Matches that are each taken for the only right one: of a small crop few keypoints are left, and one fixes a guess.
MOST_MATCHES = 4
# Light that falls off slowly resembles any other: what changes over more than this many pixels is no resemblance.
SLOW = 4.0


def guesses(matches: Matches, frames: tuple[Size, Size]) -> Iterator[np.ndarray]:
    """Yields transforms between two feature frames: one is the whole of the other, or one of the matches is right.

    A keypoint has a place, a scale and an angle: a pair of them fixes a similarity.
    """
    yield scaling(*frames)
    for query, photo in zip(matches.query[:MOST_MATCHES], matches.photo[:MOST_MATCHES], strict=True):
        turn, scale = np.radians(photo[3] - query[3]), photo[2] / query[2]
        linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        transform = np.eye(3)
        transform[:2, :2], transform[:2, 2] = linear, photo[:2] - linear @ query[:2]
        if is_possible(transform, *frames):
            yield transform


def resemblance(pair: Comparison) -> float:
    """Returns the correlation, -1 to 1, of two small aligned pictures where both show something."""
    inside = pair.mask > 0
    one, other = (_texture(part)[inside] for part in pair[:2])
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-9))


def _texture(picture: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), SLOW))
