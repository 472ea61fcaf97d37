"""Renders text as masks in several typefaces, for captions, pages and watermarks."""

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from foundation.checks import require_choice, require_range

# Letters are kept at these heights and scaled, because rendering a line anew costs as much as a whole edit may.
GLYPH_HEIGHTS = (20, 40, 80)


class Typeface(NamedTuple):
    """How a typeface is made of a base: a font of OpenCV's by its number, or the one that Pillow brings."""

    base: int | None = None
    is_bold: bool = False
    slant: float = 0
    width: float = 1


TYPEFACES = {
    "plain": Typeface(),
    "bold": Typeface(is_bold=True),
    "italic": Typeface(slant=0.2),
    "narrow": Typeface(is_bold=True, width=0.7),
    "wide": Typeface(width=1.35),
    "second": Typeface(cv2.FONT_HERSHEY_SIMPLEX),
    "second_bold": Typeface(cv2.FONT_HERSHEY_DUPLEX),
    "second_italic": Typeface(cv2.FONT_HERSHEY_SCRIPT_COMPLEX),
    "heavy": Typeface(cv2.FONT_HERSHEY_TRIPLEX, is_bold=True),
}


def render(text: str, *, height: int, typeface: str = "plain") -> np.ndarray:
    """Returns the text as a mask, uint8 [height, width], as wide as its letters, as high as a line, 1 to 1,000.

    Letters beyond ASCII are those of OpenCV 5; the fonts of OpenCV 4 show question marks in their place.
    """
    require_choice("typeface", typeface, TYPEFACES)
    require_range("height", height, 1, 1000)
    face = TYPEFACES[typeface]
    size = next((size for size in GLYPH_HEIGHTS if size >= height), GLYPH_HEIGHTS[-1])
    line = np.concatenate([_glyph(character, face.base, size, face.is_bold) for character in text or " "], axis=1)
    width = max(1, round(line.shape[1] * face.width * height / size))
    interpolation = cv2.INTER_AREA if height <= size else cv2.INTER_LINEAR
    line = cv2.resize(line, (width, height), interpolation=interpolation)
    if face.slant:
        shear = np.array([[1, -face.slant, face.slant * height], [0, 1, 0]], np.float32)
        line = cv2.warpAffine(line, shear, (width + round(face.slant * height), height))
    return line


def outlined(mask: np.ndarray, *, by: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the mask with `by` pixels of room on all sides, and the mask of its outline that thick."""
    room = cv2.copyMakeBorder(mask, by, by, by, by, cv2.BORDER_CONSTANT)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by + 1, 2 * by + 1))
    return room, cv2.dilate(room, disc)


@lru_cache(maxsize=8192)
def _glyph(character: str, base: int | None, height: int, is_bold: bool) -> np.ndarray:
    """Returns the mask of a character, uint8 [height, its width]."""
    if base is None and character.isascii():
        glyph = _of_pillow(character, height)
    else:
        glyph = _of_opencv(character, cv2.FONT_HERSHEY_SIMPLEX if base is None else base, height)
    return cv2.dilate(glyph, np.ones((1, 1 + height // 18), np.uint8)) if is_bold else glyph


def _of_pillow(character: str, height: int) -> np.ndarray:
    font = ImageFont.load_default(round(height * 0.8))
    image = Image.new("L", (max(1, round(font.getlength(character))), height))
    ImageDraw.Draw(image).text((0, 0), character, font=font, fill=255)
    return np.array(image)


def _of_opencv(character: str, base: int, height: int) -> np.ndarray:
    scale = height / 44
    (width, _), _ = cv2.getTextSize(character, base, scale, 1)
    glyph = np.zeros((height, max(1, width)), np.uint8)
    cv2.putText(glyph, character, (0, round(height * 0.72)), base, scale, 255, max(1, height // 24), cv2.LINE_AA)
    return glyph
