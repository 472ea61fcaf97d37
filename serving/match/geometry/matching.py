"""Matches the descriptors of a query with those of a photo, and keeps the matches that tell one story."""

from typing import NamedTuple

import numpy as np

from foundation.photos.compressed_features import CompressedFeatures

# Descriptors are of length 127.
UNIT = 127 * 127
# The nearest descriptor must be nearer than the next by this, which drops fences and text; below this cosine none is.
RATIO = 0.95
LEAST_COSINE = 0.45
MOST_MATCHES = 160
# Keypoints tell scale and angle of a part within these; positions follow within this share of the distance.
SCALE_OCTAVES = 0.8
ANGLE = 25.0
SHARE = 0.15
PIXELS = 4.0


class Matches(NamedTuple):
    """Pairs of keypoints, float32 [n, 4] each: of the query, and of the photo."""

    query: np.ndarray
    photo: np.ndarray

    def __len__(self) -> int:
        """The number of pairs."""
        return len(self.query)

    def take(self, kept: np.ndarray) -> "Matches":
        """Returns some of the pairs."""
        return Matches(self.query[kept], self.photo[kept])


def match(query: CompressedFeatures, photo: CompressedFeatures) -> Matches:
    """Returns the pairs of keypoints that are each other's nearest, the most distinctive ones.

    Source: Lowe, IJCV 2004, section 7.1 (ratio of distances), here with a lenient ratio.
    """
    if min(len(query.keypoints), len(photo.keypoints)) < 2:
        return Matches(query.keypoints[:0], photo.keypoints[:0])
    cosines = (query.descriptors.astype(np.float32) @ photo.descriptors.astype(np.float32).T) / UNIT
    nearest = cosines.argmax(axis=1)
    rows = np.flatnonzero(cosines.argmax(axis=0)[nearest] == np.arange(len(nearest)))
    best = cosines[rows, nearest[rows]]
    others = cosines[rows]
    others[np.arange(len(rows)), nearest[rows]] = -1
    ratios = (1 - best) / np.maximum(1 - others.max(axis=1), 1e-6)
    good = np.flatnonzero((ratios < RATIO**2) & (best > LEAST_COSINE))
    good = good[np.argsort(ratios[good], kind="stable")[:MOST_MATCHES]]
    return Matches(query.keypoints[rows[good]], photo.keypoints[nearest[rows[good]]])


def consistent(matches: Matches) -> np.ndarray:
    """Returns which pairs agree with the one that most agree with, as indices, distinct places only.

    One pair of keypoints fixes a similarity, by place, scale and angle: every pair is tried, none is drawn by chance.
    """
    if not len(matches):
        return np.empty(0, int)
    agree = _agree(matches)
    # Keypoints with two angles, and small things seen twice, would vote twice.
    votes = agree @ _weights(matches.photo)
    return np.flatnonzero(agree[votes.argmax()])


def _agree(matches: Matches) -> np.ndarray:
    query, photo = matches
    scales = photo[:, 2] / query[:, 2]
    angles = photo[:, 3] - query[:, 3]
    radians = np.radians(angles)
    turned = scales * np.exp(1j * radians)
    from_, to = query[:, 0] + 1j * query[:, 1], photo[:, 0] + 1j * photo[:, 1]
    predicted = turned[:, None] * (from_[None, :] - from_[:, None]) + to[:, None]
    error = np.abs(predicted - to[None, :])
    allowed = PIXELS + SHARE * np.abs(predicted - to[:, None])
    octaves = np.log2(scales)
    same_scale = np.abs(octaves[:, None] - octaves[None, :]) < SCALE_OCTAVES
    turn = np.abs((angles[:, None] - angles[None, :] + 180) % 360 - 180)
    return (error < allowed) & same_scale & (turn < ANGLE)


def _weights(keypoints: np.ndarray) -> np.ndarray:
    places = np.round(keypoints[:, :2]).astype(np.int64) @ (1, 1 << 20)
    _, where, counts = np.unique(places, return_inverse=True, return_counts=True)
    return (1 / counts[where]).astype(np.float32)
