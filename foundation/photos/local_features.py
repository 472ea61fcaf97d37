"""Extracts local features, the second kind of embedding: keypoints of a photo, and what its surface looks like there.

A vector per photo describes the whole frame, and fails where a query shows a part of it, or shows it as a part of
something else. Single points of the photo survive that: crops, screenshots and collages are found by them.

The features are SIFT (Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", IJCV 2004) as RootSIFT
(Arandjelović and Zisserman, "Three things everyone should know to improve object retrieval", CVPR 2012).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from foundation.checks import require_range

# Version of the rule by which features are made, written into what holds them. Raise it whenever the same photo may
# give others: another frame, threshold, choice of keypoints, or projection.
FEATURE_RULE = 2
# The frame of the archive's photos, and what is kept of each: fewer lose small crops, more cost space and time.
LONGEST_SIDE = 400
ARCHIVE_FEATURES = 150
# A quarter of OpenCV's default: soft and dark photos have few strong corners, and only the strongest are kept anyway.
CONTRAST_THRESHOLD = 0.01
# The frame is parted into cells; so many keypoints of each come first.
GRID, PER_CELL = 6, 3
DESCRIPTOR = 128
# A descriptor is a histogram of 8 directions in each of 4 × 4 cells around its keypoint.
CELLS, DIRECTIONS = 4, 8
# RootSIFT values seldom pass half: this factor uses the range of a byte, and what is above is cut off.
SCALE = 512


@dataclass(frozen=True, eq=False)
class LocalFeatures:
    """The local features of one photo, strongest and best spread first.

    `width` and `height` are those of the frame they were extracted from; `keypoints` float32 [n, 4]: x and y in its
    pixels (centres lie on whole numbers), scale (diameter in pixels), angle (degrees, clockwise from the x axis as the
    photo is seen); `descriptors` uint8 [n, 128]: RootSIFT × 512.
    """

    width: int
    height: int
    keypoints: np.ndarray
    descriptors: np.ndarray

    def __len__(self) -> int:
        """The number of keypoints; a photo without texture has none."""
        return len(self.keypoints)


def frame_size(width: int, height: int, *, longest_side: int = LONGEST_SIDE) -> tuple[int, int]:
    """Returns (width, height) of the frame that features of a photo are extracted from; it is never enlarged."""
    share = min(1.0, longest_side / max(width, height))
    return max(1, round(width * share)), max(1, round(height * share))


def extract(
    grey: np.ndarray, *, most: int = ARCHIVE_FEATURES, of_strongest: int = 0, by_octave: bool = False
) -> LocalFeatures:
    """Returns at most `most` features of a frame, uint8 [height, width], spread over it.

    They are chosen from all that are found, or from the `of_strongest` strongest ones, which takes two thirds of the
    time. With `by_octave` they are spread over scales too, so that blurred and printed photos have some. Raises
    UsageError for `most` below 1.
    """
    require_range("most", most, 1)
    height, width = grey.shape
    sift = cv2.SIFT.create(nfeatures=of_strongest, contrastThreshold=CONTRAST_THRESHOLD)
    # Only what is kept is described: describing all that is found would take longer than making their pyramid again.
    found, raw = sift.detectAndCompute(grey, None) if of_strongest else (sift.detect(grey, None), None)
    chosen = _spread(found, width, height, by_octave=by_octave)[:most]
    if not len(chosen):
        return LocalFeatures(width, height, np.empty((0, 4), np.float32), np.empty((0, DESCRIPTOR), np.uint8))
    kept: Sequence[cv2.KeyPoint] = [found[index] for index in chosen]
    kept, described = (kept, raw[chosen]) if raw is not None else sift.compute(grey, kept)
    keypoints = np.array([(*point.pt, point.size, point.angle) for point in kept], np.float32)
    return LocalFeatures(width, height, keypoints, _root(described))


def _spread(found: Sequence[cv2.KeyPoint], width: int, height: int, *, by_octave: bool) -> np.ndarray:
    """Returns the order of keypoints: the strongest of each cell in turn, then the others by their strength."""
    # The strongest corners of a photo often crowd on one thing, a fence or a text; a crop without it must be found too.
    places = np.array([point.pt for point in found], np.float32).reshape(-1, 2)
    cells = np.minimum((places * (GRID / np.array([width, height]))).astype(int), GRID - 1) @ (1, GRID)
    if by_octave:
        cells += GRID**2 * np.array([int(np.log2(max(point.size, 1))) for point in found], int)
    by_strength = np.argsort([-point.response for point in found], kind="stable")
    turns = np.minimum(_places_in_group(cells[by_strength]), 1 if by_octave else PER_CELL)
    return np.asarray(by_strength[np.argsort(turns, kind="stable")], int)


def _places_in_group(groups: np.ndarray) -> np.ndarray:
    """Returns the how manieth of its group each element is, from 0: int64 [n]."""
    order = np.argsort(groups, kind="stable")
    _, starts, counts = np.unique(groups[order], return_index=True, return_counts=True)
    places = np.empty(len(groups), np.int64)
    places[order] = np.arange(len(groups)) - np.repeat(starts, counts)
    return places


def _root(raw: np.ndarray) -> np.ndarray:
    """Returns SIFT descriptors, float32 [n, 128], as RootSIFT: the dot product is then Hellinger's kernel."""
    sums = np.maximum(raw.sum(axis=1, keepdims=True), 1e-12)
    return np.minimum(np.rint(np.sqrt(raw / sums) * SCALE), 255).astype(np.uint8)


def mirrored(features: LocalFeatures) -> LocalFeatures:
    """Returns the features as if they were extracted from the photo mirrored left to right, without extracting."""
    keypoints = features.keypoints.copy()
    keypoints[:, 0] = features.width - 1 - keypoints[:, 0]
    keypoints[:, 3] = (180 - keypoints[:, 3]) % 360
    return replace(features, keypoints=keypoints, descriptors=features.descriptors[:, _MIRRORED])


def inverted(features: LocalFeatures) -> LocalFeatures:
    """Returns the features as if they were extracted from the photo's negative, without extracting."""
    keypoints = features.keypoints.copy()
    keypoints[:, 3] = (keypoints[:, 3] + 180) % 360
    return replace(features, keypoints=keypoints, descriptors=features.descriptors[:, _INVERTED])


def _order(rows: slice, columns: slice, directions: np.ndarray) -> np.ndarray:
    numbers = np.arange(DESCRIPTOR).reshape(CELLS, CELLS, DIRECTIONS)
    return numbers[rows, columns][:, :, directions].ravel()


# In a mirror the cells across the keypoint's direction change places, and directions turn the other way round. In a
# negative every gradient points the other way, the keypoint's own as well: its cells are read from the other end.
_SAME, _REVERSED = slice(None), slice(None, None, -1)
_MIRRORED = _order(_REVERSED, _SAME, -np.arange(DIRECTIONS) % DIRECTIONS)
_INVERTED = _order(_REVERSED, _REVERSED, np.arange(DIRECTIONS))
