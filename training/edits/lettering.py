"""Draws text, and bars that look like text from afar, into a picture in place, for captions and screenshots."""

from collections.abc import Sequence

import cv2
import numpy as np

Colour = tuple[int, int, int]
DARK: Colour = (24, 24, 24)
LIGHT: Colour = (250, 250, 250)
GREY: Colour = (205, 205, 205)


def levels(colour: Colour, channels: int) -> Sequence[int]:
    """Returns an RGB colour as the levels of a picture of 3 channels, or as its brightness for 1 (ITU-R BT.601)."""
    red, green, blue = colour
    return colour if channels == 3 else (round(0.299 * red + 0.587 * green + 0.114 * blue),)


def write_line(image: np.ndarray, text: str, *, top: int, height: int, left: int, colour: Colour) -> None:
    """Writes the text as large as the line's height and the image's width allow; `top` to `left` are in pixels.

    The image is uint8 [height, width, 1 or 3], contiguous. Too narrow an image is left as it is.
    """
    font = cv2.FONT_HERSHEY_SIMPLEX
    (text_width, text_height), _ = cv2.getTextSize(text, font, 1, 2)
    scale = min(0.5 * height / max(text_height, 1), (image.shape[1] - 2 * left) / max(text_width, 1))
    if scale <= 0:
        return
    baseline = top + round((height + text_height * scale) / 2)
    thickness = max(1, round(2 * scale))
    cv2.putText(image, text, (left, baseline), font, scale, levels(colour, image.shape[2]), thickness, cv2.LINE_AA)


def draw_text_lines(area: np.ndarray, *, lines: int) -> None:
    """Paints grey bars where text would stand; the last one ends early as a paragraph does."""
    height, width = area.shape[:2]
    for line in range(lines):
        top = line * height // lines
        end = width if line < lines - 1 else width * 3 // 5
        area[top : top + max(1, height // lines // 2), :end] = GREY[0]
