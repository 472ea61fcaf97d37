"""Moves a photo's pixels: resize, crop, mirror, rotate, shift.

Every edit takes uint8 [height, width, 1 or 3], returns a new array of the same type and channels, and gives the same
for the same parameters. A parameter out of its bounds raises UsageError.
"""

import math

import cv2
import numpy as np

from foundation.checks import require_range
from training.edits.opencv import BORDERS, Border, with_channels
from training.edits.paint import scaled


def resize(photo: np.ndarray, *, share: float) -> np.ndarray:
    """Returns the photo with both sides multiplied by `share`, 0.01 to 10; no side is below one pixel."""
    require_range("share", share, 0.01, 10)
    height, width = photo.shape[:2]
    size = max(1, round(width * share)), max(1, round(height * share))
    # Averaging areas keeps a fine pattern from turning into a coarse one when the photo shrinks.
    interpolation = cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC
    return with_channels(cv2.resize(photo, size, interpolation=interpolation))


def resize_to(photo: np.ndarray, *, longest: int) -> np.ndarray:
    """Returns the photo with its longer side at 1 to 100,000 pixels, smaller or larger than before."""
    require_range("longest", longest, 1, 100_000)
    height, width = photo.shape[:2]
    share = longest / max(height, width)
    return scaled(photo, round(height * share), round(width * share))


def stretch(photo: np.ndarray, *, aspect: float) -> np.ndarray:
    """Returns the photo with its aspect (width by height) multiplied by 0.1 to 10, its area about the same."""
    require_range("aspect", aspect, 0.1, 10)
    height, width = photo.shape[:2]
    return scaled(photo, round(height / math.sqrt(aspect)), round(width * math.sqrt(aspect)))


def crop(photo: np.ndarray, *, share: float) -> np.ndarray:
    """Returns the middle of the photo: `share` of its height and of its width, 0.01 to 1, at least one pixel each."""
    require_range("share", share, 0.01, 1)
    height, width = photo.shape[:2]
    kept_height, kept_width = max(1, round(height * share)), max(1, round(width * share))
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    return photo[top : top + kept_height, left : left + kept_width].copy()


def crop_at(photo: np.ndarray, *, height: float, width: float, down: float, right: float) -> np.ndarray:
    """Returns a part of the photo: shares of its height and width, 0.001 to 1, at least one pixel each.

    `down` and `right`, 0 to 1, are the part's place: 0 and 0 is the upper left corner, 1 and 1 the lower right.
    """
    for name, value, lowest in (
        ("height", height, 0.001),
        ("width", width, 0.001),
        ("down", down, 0),
        ("right", right, 0),
    ):
        require_range(name, value, lowest, 1)
    kept = [max(1, round(side * share)) for side, share in zip(photo.shape, (height, width), strict=False)]
    top, left = round((photo.shape[0] - kept[0]) * down), round((photo.shape[1] - kept[1]) * right)
    return photo[top : top + kept[0], left : left + kept[1]].copy()


def mirror(photo: np.ndarray) -> np.ndarray:
    """Returns the photo with left and right exchanged."""
    # A copy, because OpenCV refuses a view with negative strides.
    return photo[:, ::-1].copy()


def flip(photo: np.ndarray) -> np.ndarray:
    """Returns the photo with top and bottom exchanged."""
    return photo[::-1].copy()


def rotate(photo: np.ndarray, *, degrees: float, expand: bool = True, border: Border = "black") -> np.ndarray:
    """Returns the photo turned counter-clockwise about its middle by -360 to 360 degrees.

    With `expand` the result is as large as the whole photo needs, and quarter turns move pixels without a loss;
    without it the photo keeps its height and width and loses its corners. `border` fills what the turn uncovers.
    """
    require_range("degrees", degrees, -360, 360)
    if expand and degrees % 90 == 0:
        return np.rot90(photo, int(degrees // 90) % 4).copy()
    height, width = photo.shape[:2]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
    new_width, new_height = width, height
    if expand:
        cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
        new_width, new_height = round(width * cosine + height * sine), round(width * sine + height * cosine)
        turn[:, 2] += (new_width - width) / 2, (new_height - height) / 2
    size, mode = (new_width, new_height), BORDERS[border]
    return with_channels(cv2.warpAffine(photo, turn, size, flags=cv2.INTER_LINEAR, borderMode=mode))


def shift(photo: np.ndarray, *, right: int, down: int) -> np.ndarray:
    """Returns the photo moved by whole pixels, by at most its width and height either way.

    What the move uncovers is filled with the values of the border.
    """
    height, width = photo.shape[:2]
    require_range("right", right, -width, width)
    require_range("down", down, -height, height)
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    columns = np.clip(np.arange(width) - right, 0, width - 1)
    return photo[rows[:, None], columns]
