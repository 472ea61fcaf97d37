"""Fits transforms between photos, tells which are possible, and what two photos share under one."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

# What people do to photos: so far they resize them, and one side or corner at most so many times more than another.
LEAST_SCALE, MOST_SCALE, MOST_STRETCH = 1 / 20, 20, 3.0
ITERATIONS = 4
# What is nearer to zero is taken for it.
HORIZON = 1e-9


def scaling(from_: tuple[int, int], to: tuple[int, int]) -> np.ndarray:
    """Returns the transform of a photo resized from one (width, height) to another; pixel centres on whole numbers."""
    across, down = to[0] / from_[0], to[1] / from_[1]
    return np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])


def mirroring(width: int) -> np.ndarray:
    """Returns the transform of a photo of this width onto its mirror image."""
    return np.array([[-1.0, 0, width - 1], [0, 1, 0], [0, 0, 1]])


def corners(size: tuple[int, int]) -> np.ndarray:
    """Returns the corners of a photo of this (width, height), its pixels' outer edges, float64 [4, 2]."""
    width, height = size
    return np.array([[0, 0], [width, 0], [width, height], [0, height]]) - 0.5


def apply(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Returns points, [n, 2], where the transform moves them, float64; those on its horizon go very far."""
    moved = points @ transform[:, :2].T + transform[:, 2]
    depth = moved[:, 2:]
    return np.asarray(moved[:, :2] / np.where(np.abs(depth) < HORIZON, HORIZON, depth))


def is_invertible(transform: np.ndarray) -> bool:
    """Whether a transform is one that can be undone: finite, and not of everything onto one line."""
    return bool(np.isfinite(transform).all()) and abs(float(np.linalg.det(transform))) > HORIZON


def is_possible(transform: np.ndarray, from_: tuple[int, int], to: tuple[int, int]) -> bool:
    """Whether people edit photos like this: not folded, not mirrored, of a scale from 1/20 to 20, little stretched.

    `from_` and `to` are the sizes of both; the part of the first that the second's frame shows is looked at.
    """
    if not is_invertible(transform):
        return False
    back = np.linalg.inv(transform)
    frame = corners(to)
    depth = frame @ back[2, :2] + back[2, 2]
    if (depth * depth[0]).min() <= 0 or np.abs(depth).max() > MOST_STRETCH * np.abs(depth).min():
        return False
    quad = apply(back, frame)
    sides = np.roll(quad, -1, axis=0) - quad
    turns = sides[:, 0] * np.roll(sides[:, 1], -1) - sides[:, 1] * np.roll(sides[:, 0], -1)
    if turns.min() <= 0:
        return False
    lengths = np.linalg.norm(sides, axis=1) / np.array([to[0], to[1], to[0], to[1]])
    return bool(
        lengths.min() > LEAST_SCALE and lengths.max() < MOST_SCALE and lengths.max() / lengths.min() < MOST_STRETCH
    )


def overlap(transform: np.ndarray, from_: tuple[int, int], to: tuple[int, int]) -> tuple[float, float]:
    """Returns the shares of the first's and of the second's area that both show, 0 to 1 each."""
    return shares_of_box(transform, from_, to, corners(to))


def shares_of_box(
    transform: np.ndarray, from_: tuple[int, int], to: tuple[int, int], box: np.ndarray
) -> tuple[float, float]:
    """Returns the shares of the first's and of the second's area that both show within a box of the second.

    box: float64 [4, 2], clockwise, in pixels of the second. The transform is invertible.
    """
    shared = apply(np.linalg.inv(transform), box).astype(np.float32)
    if cv2.contourArea(shared, oriented=True) < 0:
        shared = shared[::-1].copy()
    area_from, polygon = cv2.intersectConvexConvex(shared, corners(from_).astype(np.float32))
    if polygon is None or area_from <= 0:
        return 0.0, 0.0
    seen = apply(transform, np.asarray(polygon, float).reshape(-1, 2))
    area_to = cv2.contourArea(seen.astype(np.float32))
    return min(1.0, area_from / (from_[0] * from_[1])), min(1.0, area_to / (to[0] * to[1]))


class Fit(NamedTuple):
    """A transform fitted to pairs of points, and each pair's distance from it, float64 [n]."""

    transform: np.ndarray
    distances: np.ndarray


def sample(from_: np.ndarray, to: np.ndarray, *, threshold: float, perspective: bool) -> np.ndarray | None:
    """Returns the affine or perspective transform that most pairs of points agree with, or None.

    Source: Barath et al., "MAGSAC++, a fast, reliable and accurate robust estimator", CVPR 2020.
    """
    if len(from_) < (4 if perspective else 3):
        return None
    from_, to = from_.astype(np.float32), to.astype(np.float32)
    if perspective:
        found, _ = cv2.findHomography(from_, to, cv2.USAC_MAGSAC, threshold, maxIters=300, confidence=0.99)
        return found
    found, _ = cv2.estimateAffine2D(
        from_, to, method=cv2.USAC_MAGSAC, ransacReprojThreshold=threshold, maxIters=300, confidence=0.99
    )
    return None if found is None else np.vstack([found, [0, 0, 1]])


def fit(model: str, from_: np.ndarray, to: np.ndarray, weights: np.ndarray) -> Fit:
    """Returns the transform of a kind that fits pairs of points, float64 [n, 2] each, those far from it left out.

    Least squares are repeated with Tukey's weights: what moved, or was covered, shall not pull at the rest.
    """
    unit = _normalising(from_)
    source = apply(unit, from_)
    solve = _SOLVERS[model]
    used = weights
    for _ in range(ITERATIONS):
        found = solve(source, to, np.sqrt(used))
        distances = np.linalg.norm(apply(found, source) - to, axis=1)
        width = 4.7 * max(float(np.median(distances[weights > 0])), 0.1)
        used = weights * np.maximum(0, 1 - (distances / width) ** 2) ** 2
    return Fit(found @ unit, distances)


def _normalising(points: np.ndarray) -> np.ndarray:
    middle = points.mean(axis=0)
    size = 1 / max(float(np.abs(points - middle).max()), 1e-9)
    return np.array([[size, 0, -middle[0] * size], [0, size, -middle[1] * size], [0, 0, 1]])


def _similarity(from_: np.ndarray, to: np.ndarray, roots: np.ndarray) -> np.ndarray:
    x, y = from_.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    rows = np.concatenate([np.stack([x, -y, one, zero], 1), np.stack([y, x, zero, one], 1)])
    a, b, c, d = _least_squares(rows, to, roots)
    return np.array([[a, -b, c], [b, a, d], [0, 0, 1]])


def _affine(from_: np.ndarray, to: np.ndarray, roots: np.ndarray) -> np.ndarray:
    rows = np.column_stack([from_, np.ones(len(from_))])
    solved = np.linalg.lstsq(rows * roots[:, None], to * roots[:, None], rcond=None)[0]
    return np.vstack([solved.T, [0, 0, 1]])


def _perspective(from_: np.ndarray, to: np.ndarray, roots: np.ndarray) -> np.ndarray:
    x, y = from_.T
    u, v = to.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    rows = np.concatenate(
        [
            np.stack([x, y, one, zero, zero, zero, -u * x, -u * y], 1),
            np.stack([zero, zero, zero, x, y, one, -v * x, -v * y], 1),
        ]
    )
    return np.append(_least_squares(rows, to, roots), 1).reshape(3, 3)


def _least_squares(rows: np.ndarray, to: np.ndarray, roots: np.ndarray) -> np.ndarray:
    both = np.concatenate([roots, roots])
    return np.linalg.lstsq(rows * both[:, None], to.T.ravel() * both, rcond=None)[0]


_SOLVERS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "similarity": _similarity,
    "affine": _affine,
    "perspective": _perspective,
}
