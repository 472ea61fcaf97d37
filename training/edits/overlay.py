"""Lays something over a part of a photo: a caption bar, a box.

Every edit takes uint8 [height, width, 1 or 3], returns a new array of the same shape and type, and gives the same for
the same parameters. A parameter out of its bounds raises UsageError.
"""

from collections.abc import Sequence

import numpy as np

from foundation.checks import require_range
from training.edits.lettering import DARK, LIGHT, levels, write_line


def overlay_caption(photo: np.ndarray, *, text: str, share: float) -> np.ndarray:
    """Returns the photo with a dark bar across its lower edge, `share` of its height, 0 to 1, and the text in it.

    The bar is at least one pixel high.
    """
    require_range("share", share, 0, 1)
    captioned = photo.copy()
    height, width, channels = photo.shape
    bar = max(1, round(height * share))
    captioned[height - bar :] = levels(DARK, channels)
    write_line(captioned, text, top=height - bar, height=bar, left=round(width * 0.03), colour=LIGHT)
    return captioned


def overlay_box(
    photo: np.ndarray, *, top: int, left: int, height: int, width: int, colour: Sequence[int]
) -> np.ndarray:
    """Returns the photo with a filled box that lies inside it; places and sizes are in pixels, from 0.

    `colour` holds the level of each channel, 0 to 255, or one level for all of them.
    """
    require_range("height", height, 0, photo.shape[0])
    require_range("width", width, 0, photo.shape[1])
    require_range("top", top, 0, photo.shape[0] - height)
    require_range("left", left, 0, photo.shape[1] - width)
    for level in colour:
        require_range("colour", level, 0, 255)
    covered = photo.copy()
    covered[top : top + height, left : left + width] = colour
    return covered
