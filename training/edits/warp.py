"""Warps a photo by lines and planes: rotated without corners, sheared, seen from the side, bent by a lens.

Every edit takes uint8 [height, width, 1 or 3], returns a new array of the same type and channels, and gives the same
for the same parameters. A parameter out of its bounds raises UsageError.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from foundation.checks import require_range
from training.edits.geometry import rotate
from training.edits.opencv import BORDERS, Border, with_channels


def rotate_inside(photo: np.ndarray, *, degrees: float) -> np.ndarray:
    """Returns the photo turned counter-clockwise by -360 to 360 degrees and cropped to where nothing is uncovered.

    What is kept has the photo's aspect and is the largest such part about the middle.
    """
    turned = rotate(photo, degrees=degrees, border="reflect")
    height, width = photo.shape[:2]
    sine, cosine = abs(math.sin(math.radians(degrees))), abs(math.cos(math.radians(degrees)))
    if degrees % 180 == 90:
        return turned
    share = min(height / (width * sine + height * cosine), width / (height * sine + width * cosine))
    kept_height, kept_width = max(1, round(height * share)), max(1, round(width * share))
    top, left = (turned.shape[0] - kept_height) // 2, (turned.shape[1] - kept_width) // 2
    return turned[top : top + kept_height, left : left + kept_width].copy()


def shear(photo: np.ndarray, *, right: float, down: float, border: Border = "black") -> np.ndarray:
    """Returns the photo as a parallelogram within its own size: -1 to 1 pixels to the right for each pixel downwards.

    `down` does the same with each pixel to the right; the middle stays in its place.
    """
    require_range("right", right, -1, 1)
    require_range("down", down, -1, 1)
    height, width = photo.shape[:2]
    matrix = np.array([[1, right, -right * (height - 1) / 2], [down, 1, -down * (width - 1) / 2]])
    return with_channels(cv2.warpAffine(photo, matrix, (width, height), borderMode=BORDERS[border]))


def tilt(photo: np.ndarray, *, corners: Sequence[Sequence[float]], border: Border = "black") -> np.ndarray:
    """Returns the photo in perspective, within its own size: each corner moves to a place of its own.

    `corners` are the new (x, y) of the upper left, upper right, lower right and lower left corner, as shares of width
    and height, -1 to 2.
    """
    for corner in corners:
        for value in corner:
            require_range("corners", value, -1, 2)
    height, width = photo.shape[:2]
    size = np.array([width, height], np.float32)
    before = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * size
    matrix = cv2.getPerspectiveTransform(before, np.array(corners, np.float32) * size)
    return with_channels(cv2.warpPerspective(photo, matrix, (width, height), borderMode=BORDERS[border]))


def bend(photo: np.ndarray, *, strength: float) -> np.ndarray:
    """Returns the photo as a lens bends it: straight lines bulge (above 0) or cave in (below), -0.5 to 0.5.

    A point at distance r from the middle, the corners at 1, shows what was at r (1 + strength r²); where that would lie
    outside of the photo, all is shown larger.
    """
    require_range("strength", strength, -0.5, 0.5)
    height, width = photo.shape[:2]
    across = np.linspace(-1, 1, width, dtype=np.float32) / math.sqrt(2)
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, np.newaxis] / math.sqrt(2)
    factor = (1 + strength * (across**2 + down**2)) / (1 + max(strength, 0))
    columns = (across * factor * math.sqrt(2) + 1) * ((width - 1) / 2)
    rows = (down * factor * math.sqrt(2) + 1) * ((height - 1) / 2)
    return with_channels(cv2.remap(photo, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101))
