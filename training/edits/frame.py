"""Puts something around a photo: border, letterbox, blurred sides, a banner with text, round corners.

Every edit takes uint8 [height, width, 1 or 3], returns a new array of the same type and channels, and gives the same
for the same parameters. A parameter out of its bounds raises UsageError.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from foundation.checks import require_range
from training.edits.filters import quick_blur
from training.edits.lettering import Colour
from training.edits.paint import blank, filled, paint
from training.edits.writing import write_paragraph


def add_border(photo: np.ndarray, *, sides: Sequence[float], colour: Colour) -> np.ndarray:
    """Returns the photo inside a border as wide as shares, 0 to 3, of the photo's shorter side.

    `sides` are the shares above, to the right, below and to the left; all above 0 are at least a pixel wide.
    """
    for side in sides:
        require_range("sides", side, 0, 3)
    shorter = min(photo.shape[:2])
    above, right, below, left = (max(1, round(side * shorter)) if side else 0 for side in sides)
    height, width, channels = photo.shape
    framed = blank(above + height + below, left + width + right, channels, colour)
    framed[above : above + height, left : left + width] = photo
    return framed


def letterbox(photo: np.ndarray, *, aspect: float, colour: Colour) -> np.ndarray:
    """Returns the photo in the middle of a picture of an aspect (width by height), 0.2 to 5, with bars of a colour."""
    height, width = _box(photo, aspect)
    boxed = blank(height, width, photo.shape[2], colour)
    return _centre(boxed, photo)


def blur_sides(photo: np.ndarray, *, aspect: float) -> np.ndarray:
    """Returns the photo in the middle of a picture of an aspect, 0.2 to 5, whose bars show it large and blurred."""
    height, width = _box(photo, aspect)
    small = filled(photo, max(1, height // 8), max(1, width // 8))
    blurred = quick_blur(small, deviation=max(small.shape) / 25)
    return _centre(cv2.resize(blurred, (width, height)).reshape(height, width, photo.shape[2]), photo)


def _box(photo: np.ndarray, aspect: float) -> tuple[int, int]:
    """Returns height and width of the smallest picture of that aspect that holds the photo."""
    require_range("aspect", aspect, 0.2, 5)
    height, width = photo.shape[:2]
    return max(height, round(width / aspect)), max(width, round(height * aspect))


def _centre(boxed: np.ndarray, photo: np.ndarray) -> np.ndarray:
    top, left = (boxed.shape[0] - photo.shape[0]) // 2, (boxed.shape[1] - photo.shape[1]) // 2
    boxed[top : top + photo.shape[0], left : left + photo.shape[1]] = photo
    return boxed


def add_banner(
    photo: np.ndarray, *, text: str, share: float, above: bool, paper: Colour, ink: Colour, typeface: str
) -> np.ndarray:
    """Returns the photo with a banner of text added above or below it, as high as 0.02 to 1 of the photo's height."""
    require_range("share", share, 0.02, 1)
    height, width, channels = photo.shape
    banner = blank(max(1, round(height * share)), width, channels, paper)
    room = max(1, min(banner.shape[:2]) // 8)
    lines = 1 if share < 0.1 else 2
    line_height = min(banner.shape[0] - 2 * room, max(width // 14, (banner.shape[0] - 2 * room) // lines))
    text_area = banner[room:, room : width - room]
    write_paragraph(text_area, text, line_height=line_height, paper=paper, ink=ink, typeface=typeface)
    return np.vstack([banner, photo] if above else [photo, banner])


def round_corners(photo: np.ndarray, *, radius: float, colour: Colour) -> np.ndarray:
    """Returns the photo with round corners of 0 to 0.5 of its shorter side, the colour of the page beyond them."""
    require_range("radius", radius, 0, 0.5)
    height, width = photo.shape[:2]
    pixels = round(radius * min(height, width))
    mask = np.zeros((height, width), np.uint8)
    mask[pixels : height - pixels] = 255
    mask[:, pixels : width - pixels] = 255
    for y in (pixels, height - 1 - pixels):
        for x in (pixels, width - 1 - pixels):
            cv2.circle(mask, (x, y), pixels, 255, -1, cv2.LINE_AA)
    rounded = photo.copy()
    paint(rounded, 255 - mask, top=0, left=0, colour=colour)
    return rounded
