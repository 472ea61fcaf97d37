"""Writes lines and paragraphs into a part of a picture in place, in any of the typefaces.

Every area is uint8 [height, width, 1 or 3], a view into the picture.
"""

from collections.abc import Iterator

import cv2
import numpy as np

from training.edits.lettering import Colour, levels
from training.edits.opencv import with_channels
from training.edits.paint import paint
from training.edits.typefaces import outlined, render


def write(area: np.ndarray, text: str, *, colour: Colour, typeface: str = "plain", across: float = 0) -> None:
    """Writes one line as high as the area, smaller where it would be too wide; `across` is 0 (left) to 1 (right)."""
    mask = _fitting(area, text, typeface)
    if mask is not None:
        top, left = (area.shape[0] - mask.shape[0]) // 2, round((area.shape[1] - mask.shape[1]) * across)
        paint(area, mask, top=top, left=left, colour=colour)


def write_outlined(area: np.ndarray, text: str, *, colour: Colour, outline: Colour, typeface: str = "bold") -> None:
    """Writes one line in the middle of the area with an outline in another colour, as memes have it."""
    mask = _fitting(area, text, typeface)
    if mask is not None:
        room = max(1, mask.shape[0] // 14)
        inner, outer = outlined(mask, by=room)
        top, left = (area.shape[0] - inner.shape[0]) // 2, (area.shape[1] - inner.shape[1]) // 2
        paint(area, outer, top=top, left=left, colour=outline)
        paint(area, inner, top=top, left=left, colour=colour)


def _fitting(area: np.ndarray, text: str, typeface: str) -> np.ndarray | None:
    """Returns the mask of the text at the height of the area or below; None where there is no room for two pixels."""
    height, width = area.shape[:2]
    if height < 2 or width < 2:
        return None
    mask = render(text, height=min(height, 1000), typeface=typeface)
    if mask.shape[1] > width:
        mask = render(text, height=max(1, mask.shape[0] * width // mask.shape[1]), typeface=typeface)
    return mask


def write_paragraph(
    area: np.ndarray, text: str, *, line_height: int, paper: Colour, ink: Colour, typeface: str = "plain"
) -> None:
    """Writes as many lines as the text and the area allow, broken between words, on paper of one colour.

    Letters are about half as high as their lines; below four pixels a line, nothing is written.
    """
    height, width = area.shape[:2]
    if line_height < 4 or not text or not width:
        return
    channels = area.shape[2]
    ends = np.array([levels(colour, channels) for colour in (paper, ink)], float)
    # On paper of one colour, what a mask makes of it is looked up, which is quicker than mixing.
    shades = np.rint(ends[0] + np.linspace(0, 1, 256)[:, np.newaxis] * (ends[1] - ends[0])).astype(np.uint8)
    letters = line_height * 4 // 5
    per_letter = render(text[:60], height=letters, typeface=typeface).shape[1] / len(text[:60])
    lines = broken(text, most=max(4, int(width / per_letter)))
    for top, line in zip(range(0, height - line_height + 1, line_height), lines, strict=False):
        mask = render(line, height=letters, typeface=typeface)[:, :width]
        shaded = with_channels(cv2.LUT(cv2.merge([mask] * channels), shades[:, np.newaxis]))
        area[top : top + letters, : mask.shape[1]] = shaded


def broken(text: str, *, most: int) -> Iterator[str]:
    """Yields the text in lines of at most so many letters, a longer word on a line of its own."""
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > most:
            yield line
            line = ""
        line = f"{line} {word}" if line else word
    if line:
        yield line
