"""Writes lines and paragraphs into a part of a picture in place, in any of the typefaces.

Every area is uint8 [height, width, 1 or 3], a view into the picture.
"""

import numpy as np

from training.edits.lettering import Colour
from training.edits.paint import paint
from training.edits.typefaces import outlined, render


def write(area: np.ndarray, text: str, *, colour: Colour, typeface: str = "sans", across: float = 0) -> None:
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


def write_paragraph(area: np.ndarray, text: str, *, line_height: int, colour: Colour, typeface: str = "sans") -> int:
    """Writes as many lines as the area and the text fill, broken between words, and returns the height taken.

    Letters are two thirds as high as their lines.
    """
    height, width = area.shape[:2]
    # A letter is on average about two fifths as wide as its line is high.
    most = max(4, round(2.2 * width / max(line_height, 1)))
    words, top = text.split(), 0
    while words and line_height >= 3 and top + line_height <= height:
        line = words.pop(0)
        while words and len(line) + 1 + len(words[0]) <= most:
            line += " " + words.pop(0)
        mask = render(line, height=max(2, line_height * 4 // 5), typeface=typeface)
        paint(area, mask, top=top, left=0, colour=colour)
        top += line_height
    return top
