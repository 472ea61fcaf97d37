"""Computes which part of one photo another one covers, from the transform between the two."""

from typing import NamedTuple

import numpy as np

# A polygon without corners.
NOTHING = np.empty((0, 2), np.float32)


class Size(NamedTuple):
    """Width and height of a photo in pixels."""

    width: int
    height: int


def frame_of(size: Size) -> np.ndarray:
    """Returns the corners of a photo, float32 [4, 2], clockwise from the upper left; centres lie on whole numbers."""
    width, height = size
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - np.float32(0.5)


def footprint(transform: np.ndarray, source: Size, target: Size) -> np.ndarray:
    """Returns the part of the target that the source covers: the corners of a convex polygon, float32 [n, 2].

    transform: float64 [3, 3], pixels of the source to pixels of the target. There are no corners if the source lies
    beside the target, or if the transform bends it through infinity, as no photograph of a photo does.
    """
    import cv2

    corners = np.column_stack([frame_of(source), np.ones(4)]) @ np.asarray(transform, float).T
    depth = corners[:, 2:]
    if not (np.isfinite(corners).all() and ((depth > 0).all() or (depth < 0).all())):
        return NOTHING
    quadrangle = (corners[:, :2] / depth).astype(np.float32)
    if not cv2.isContourConvex(quadrangle):
        return NOTHING
    # Where nothing is shared, OpenCV returns an area of zero and a point that means nothing.
    area, shared = cv2.intersectConvexConvex(quadrangle, frame_of(target))
    return shared.reshape(-1, 2) if area > 0 else NOTHING


def inverse(transform: np.ndarray) -> np.ndarray:
    """Returns the transform of the other direction; all zero if there is none, which covers nothing."""
    try:
        return np.linalg.inv(np.asarray(transform, float))
    except np.linalg.LinAlgError:
        return np.zeros((3, 3))


def shared_part(one: np.ndarray, other: np.ndarray) -> float:
    """Returns the area that two convex polygons, float32 [n, 2], have in common, as a share of the smaller one."""
    import cv2

    if len(one) < 3 or len(other) < 3:
        return 0.0
    smaller = min(cv2.contourArea(one), cv2.contourArea(other))
    area, _ = cv2.intersectConvexConvex(one, other)
    return area / smaller if smaller > 0 else 0.0
