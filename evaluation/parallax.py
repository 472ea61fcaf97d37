"""Makes of a photo what a camera some steps aside would have seen: what is near moves more than what is far."""

import cv2
import numpy as np

# How far the nearest moves against the farthest, as a share of the width, and how far the camera's aim is off.
MOVED, TURNED = (0.015, 0.06), 0.01
NEAR_THINGS = 6


def seen_from_aside(photo: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Returns a photo as another photograph of its scene: uint8 [height, width, 3], depth made up of some shapes.

    Real pairs of photographs are the better example; these complete them where both show nearly the same frame.
    """
    height, width = photo.shape[:2]
    depth = _depth(height, width, generator)
    step = generator.uniform(*MOVED) * width * generator.choice([-1, 1])
    angle = generator.uniform(-0.4, 0.4)
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    across, down = np.float32(step * np.cos(angle)), np.float32(step * np.sin(angle))
    moved = cv2.remap(photo, xs + across * depth, ys + down * depth, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    aimed = frame + generator.uniform(-TURNED, TURNED, (4, 2)).astype(np.float32) * width
    turn = cv2.getPerspectiveTransform(frame, aimed)
    return cv2.warpPerspective(moved, turn, (width, height), borderMode=cv2.BORDER_REFLECT)


def _depth(height: int, width: int, generator: np.random.Generator) -> np.ndarray:
    """Returns nearness from 0 to 1, float32 [height, width]: ground that rises to the viewer, and things on it."""
    nearness = np.repeat(np.linspace(0, 0.6, height, dtype=np.float32)[:, None], width, axis=1)
    for _ in range(NEAR_THINGS):
        middle = int(generator.integers(width)), int(generator.integers(height))
        axes = int(generator.integers(width // 16, width // 4)), int(generator.integers(height // 12, height // 3))
        cv2.ellipse(nearness, middle, axes, 0, 0, 360, float(generator.uniform(0.2, 1)), -1)
    return cv2.GaussianBlur(nearness, (0, 0), 2)
