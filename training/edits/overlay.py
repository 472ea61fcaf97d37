"""Lays something over a part of a photo: captions, meme text, watermarks, shapes, a box.

Every edit takes uint8 [height, width, 1 or 3], returns a new array of the same shape and type, and gives the same for
the same parameters. A parameter out of its bounds raises UsageError.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from foundation.checks import require_choice, require_range
from training.edits.hide import Region
from training.edits.lettering import DARK, LIGHT, Colour, levels, write_line
from training.edits.marks import Sticker, turned
from training.edits.paint import paint
from training.edits.typefaces import render
from training.edits.writing import write_outlined, write_paragraph

SHAPES = ("circle", "rectangle", "arrow", "line")


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


def overlay_meme(photo: np.ndarray, *, above: str, below: str, share: float, typeface: str) -> np.ndarray:
    """Returns the photo with outlined white lines across its top and its bottom, 0.02 to 0.5 of its height each."""
    require_range("share", share, 0.02, 0.5)
    written = photo.copy()
    height, width = photo.shape[:2]
    line, room = max(2, round(height * share)), round(width * 0.03)
    for text, top in ((above, round(height * 0.02)), (below, height - line - round(height * 0.02))):
        area = written[max(0, top) : top + line, room : width - room]
        write_outlined(area, text, colour=(255, 255, 255), outline=(0, 0, 0), typeface=typeface)
    return written


def overlay_watermark(
    photo: np.ndarray, *, text: str, degrees: float, share: float, opacity: float, colour: Colour, tiled: bool
) -> np.ndarray:
    """Returns the photo under a semi-transparent text, turned counter-clockwise: once across the middle, or tiled.

    `share`, 0.02 to 1, is the line's height as a share of the photo's shorter side where tiled, otherwise the length of
    the text as a share of the photo's diagonal; `opacity` is 0 to 1.
    """
    require_range("share", share, 0.02, 1)
    require_range("opacity", opacity, 0, 1)
    height, width = photo.shape[:2]
    line = max(4, round(min(height, width) * share)) if tiled else 60
    mask = render(text, height=min(line, 1000), typeface="bold")
    if not tiled:
        factor = share * float(np.hypot(height, width)) / mask.shape[1]
        size = max(1, round(mask.shape[1] * factor)), max(1, round(line * factor))
        mask = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    mask = turned(Sticker(np.zeros((*mask.shape, 3), np.uint8), mask), degrees=degrees).mask
    if tiled:
        rows, columns = -(-height // mask.shape[0]), -(-width // mask.shape[1])
        mask = np.tile(mask, (rows, columns))[:height, :width]
    marked = photo.copy()
    top, left = (height - mask.shape[0]) // 2, (width - mask.shape[1]) // 2
    paint(marked, mask, top=top, left=left, colour=colour, opacity=opacity)
    return marked


def overlay_shape(photo: np.ndarray, *, shape: str, region: Region, thickness: float, colour: Colour) -> np.ndarray:
    """Returns the photo with a shape of `SHAPES` drawn around or across a region, as people point at something.

    `thickness`, 0.001 to 0.2, is that of the stroke as a share of the photo's shorter side.
    """
    require_choice("shape", shape, SHAPES)
    require_range("thickness", thickness, 0.001, 0.2)
    rows, columns = region.slices(photo)
    start, end = (columns.start, rows.start), (columns.stop - 1, rows.stop - 1)
    stroke = max(1, round(thickness * min(photo.shape[:2])))
    mask = np.zeros(photo.shape[:2], np.uint8)
    if shape == "circle":
        centre = ((start[0] + end[0]) // 2, (start[1] + end[1]) // 2)
        axes = ((end[0] - start[0]) // 2, (end[1] - start[1]) // 2)
        cv2.ellipse(mask, centre, axes, 0, 0, 360, 255, stroke, cv2.LINE_AA)
    elif shape == "rectangle":
        cv2.rectangle(mask, start, end, 255, stroke)
    elif shape == "arrow":
        cv2.arrowedLine(mask, start, end, 255, stroke, cv2.LINE_AA, tipLength=0.3)
    else:
        cv2.line(mask, start, end, 255, stroke, cv2.LINE_AA)
    drawn = photo.copy()
    paint(drawn, mask, top=0, left=0, colour=colour)
    return drawn


def overlay_label(
    photo: np.ndarray, *, text: str, region: Region, line: float, paper: Colour, ink: Colour, typeface: str
) -> np.ndarray:
    """Returns the photo with a filled box of text over a region, as translations and news graphics have.

    `line`, 0.01 to 1, is the height of a line as a share of the photo's height.
    """
    require_range("line", line, 0.01, 1)
    labelled = photo.copy()
    area = labelled[region.slices(photo)]
    area[:] = levels(paper, photo.shape[2])
    height = max(1, round(line * photo.shape[0]))
    room = min(area.shape[1] // 4, height // 4)
    write_paragraph(area[height // 8 :, room:], text, line_height=height, paper=paper, ink=ink, typeface=typeface)
    return labelled
