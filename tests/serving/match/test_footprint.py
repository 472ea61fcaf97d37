"""Footprints: what of one photo another one covers."""

import numpy as np
import pytest

from serving.match.footprint import NOTHING, Size, footprint, frame_of, inverse, shared_part

SIZE = Size(100, 60)


def area(polygon: np.ndarray) -> float:
    """Returns the area of a polygon, by the shoelace formula."""
    x, y = polygon.T if len(polygon) else np.zeros((2, 1))
    return abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))) / 2


def moved(x: float, y: float, *, scale: float = 1.0) -> np.ndarray:
    """Returns a transform that enlarges, and then moves."""
    return np.array([[scale, 0, x], [0, scale, y], [0, 0, 1]], float)


@pytest.mark.parametrize(
    ("transform", "covered"),
    [
        (np.eye(3), 6_000),
        (moved(50, 30), 1_500),
        (moved(-20, -20, scale=3), 6_000),
        (moved(20, 20, scale=0.25), 375),
        (np.array([[-1, 0, 99], [0, 1, 0], [0, 0, 1]]), 6_000),
        (-2.0 * np.eye(3), 6_000),
        (moved(1_000, 0), 0),
        (np.zeros((3, 3)), 0),
        (np.full((3, 3), np.nan), 0),
        (np.array([[1, 0, 0], [0, 1, 0], [-0.02, 0, 1]]), 0),  # the right half would lie behind the camera
    ],
)
def test_the_part_that_is_covered(transform: np.ndarray, covered: float):
    """Inside of the target; a mirror covers as much, a factor changes nothing, a mad transform covers nothing."""
    found = footprint(transform, SIZE, SIZE)
    assert area(found) == pytest.approx(covered, rel=1e-3)
    assert not len(found) or (found >= -0.51).all()
    assert not len(found) or (found <= (99.51, 59.51)).all()


def test_the_other_direction():
    """What has no other direction covers nothing."""
    assert np.allclose(inverse(moved(3, 4, scale=2)) @ moved(3, 4, scale=2), np.eye(3))
    assert not len(footprint(inverse(np.zeros((3, 3))), SIZE, SIZE))


def test_the_shared_part_is_of_the_smaller():
    """A crop lies all in the photo; neighbours share their edge; what is empty shares nothing."""
    crop, neighbour = footprint(moved(10, 10, scale=0.2), SIZE, SIZE), footprint(moved(50, 0), SIZE, SIZE)
    left = footprint(moved(-50, 0), SIZE, SIZE)
    assert shared_part(crop, frame_of(SIZE)) == pytest.approx(1, abs=1e-3)
    assert shared_part(left, neighbour) == pytest.approx(0, abs=1e-3)
    assert shared_part(neighbour, frame_of(SIZE)) == pytest.approx(1, abs=1e-3)
    assert shared_part(NOTHING, crop) == 0
