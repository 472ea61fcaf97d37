"""Renders text as masks in several typefaces, for captions, pages and watermarks."""

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from foundation.checks import require_choice, require_range

# Letters are cut from sheets of these heights, because rendering a line anew costs as much as a whole edit may.
SHEET_HEIGHTS = (20, 40, 80)
CHARACTERS = "".join(map(chr, range(32, 127)))


class Typeface(NamedTuple):
    """How a typeface is made of a base: a Hershey font of OpenCV, or -1 for the one that Pillow brings."""

    base: int = -1
    is_bold: bool = False
    slant: float = 0
    width: float = 1


TYPEFACES = {
    "sans": Typeface(),
    "bold": Typeface(is_bold=True),
    "italic": Typeface(slant=0.2),
    "narrow": Typeface(is_bold=True, width=0.7),
    "wide": Typeface(width=1.35),
    "drawn": Typeface(cv2.FONT_HERSHEY_DUPLEX),
    "serif": Typeface(cv2.FONT_HERSHEY_COMPLEX, width=0.9),
    "heavy_serif": Typeface(cv2.FONT_HERSHEY_TRIPLEX, is_bold=True),
    "script": Typeface(cv2.FONT_HERSHEY_SCRIPT_COMPLEX),
}


def render(text: str, *, height: int, typeface: str = "sans") -> np.ndarray:
    """Returns the text as a mask, uint8 [height, width], as wide as its letters, as high as a line, 1 to 1,000.

    Characters beyond ASCII come out as question marks: neither font has them.
    """
    require_choice("typeface", typeface, TYPEFACES)
    require_range("height", height, 1, 1000)
    face = TYPEFACES[typeface]
    sheet_height = next((size for size in SHEET_HEIGHTS if size >= height), SHEET_HEIGHTS[-1])
    sheet = _sheet(face.base, sheet_height, face.is_bold)
    line = np.hstack([sheet.get(character, sheet["?"]) for character in text or " "])
    width = max(1, round(line.shape[1] * face.width * height / sheet_height))
    interpolation = cv2.INTER_AREA if height <= sheet_height else cv2.INTER_LINEAR
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


@lru_cache(maxsize=32)
def _sheet(base: int, height: int, is_bold: bool) -> dict[str, np.ndarray]:
    """Returns the mask of each character, uint8 [height, its width]."""
    glyphs = {}
    for character in CHARACTERS:
        glyph = _truetype(character, height) if base < 0 else _hershey(character, base, height)
        glyphs[character] = cv2.dilate(glyph, np.ones((1, 1 + height // 18), np.uint8)) if is_bold else glyph
    return glyphs


def _truetype(character: str, height: int) -> np.ndarray:
    font = ImageFont.load_default(round(height * 0.8))
    image = Image.new("L", (max(1, round(font.getlength(character))), height))
    ImageDraw.Draw(image).text((0, 0), character, font=font, fill=255)
    return np.array(image)


def _hershey(character: str, base: int, height: int) -> np.ndarray:
    scale = height / 44
    (width, _), _ = cv2.getTextSize(character, base, scale, 1)
    glyph = np.zeros((height, max(1, width)), np.uint8)
    cv2.putText(glyph, character, (0, round(height * 0.72)), base, scale, 255, max(1, height // 24), cv2.LINE_AA)
    return glyph
