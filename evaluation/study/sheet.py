"""Draws contact sheets: rows of small photos with words beside them, right and wrong ones framed and marked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from evaluation.study.picture import GREEN, INK, PAPER, VERMILION, image_png

# Frames tell right from wrong by colour; ticks and crosses tell it to those who do not see colours.
RIGHT, WRONG, NEUTRAL = GREEN, VERMILION, "#b9b9b4"
# All in pixels. Photos are enlarged by whole numbers to about a tile, so that every pixel of theirs is equally large.
TILE, FRAME, SPACE, GAP, MARGIN = 56, 3, 8, 20, 12
LINE_HEIGHT, FONT_SIZE = 17, 13
# Grey photos, two colours of frames and smooth letters fit a palette; colour photos would lose theirs.
PALETTE = 255


@dataclass(frozen=True)
class Tile:
    """A photo, uint8 [size, size, channels]; `right` says whether it is a right answer, None that it is no answer."""

    photo: np.ndarray
    right: bool | None = None


@dataclass(frozen=True)
class Row:
    """Tiles in columns, None for a free place, with words to the left, a line each."""

    words: Sequence[str]
    tiles: Sequence[Tile | None]


@dataclass(frozen=True)
class Heading:
    """Words above what follows: one for the rows, and one by column for where it begins."""

    words: str = ""
    columns: dict[int, str] = field(default_factory=dict)


def draw_sheet(lines: Sequence[Row | Heading]) -> bytes:
    """Returns the sheet as PNG: with a palette if all photos are grey, else with all colours."""
    rows = [line for line in lines if isinstance(line, Row)]
    tiles = [tile for row in rows for tile in row.tiles if tile]
    side = max(_scaled_side(tile.photo) for tile in tiles)
    left = MARGIN + _words_width(lines)
    columns = _columns(rows, side, left)
    tops = [MARGIN]
    for line in lines:
        tops.append(tops[-1] + (side + SPACE if isinstance(line, Row) else LINE_HEIGHT + 8))
    widest = max([columns[-1], *(columns[c] + _font(bold=True).getlength(w) for c, w in _column_words(lines))])
    image = Image.new("RGB", (int(widest) + MARGIN, tops[-1] + MARGIN - SPACE), PAPER)
    draw = ImageDraw.Draw(image)
    for line, top in zip(lines, tops, strict=False):
        if isinstance(line, Row):
            _draw_row(image, draw, line, columns, top, side)
        else:
            _draw_heading(draw, line, columns, top)
    grey = all(tile.photo.shape[-1] == 1 for tile in tiles)
    return image_png(image, colours=PALETTE if grey else None)


def _column_words(lines: Sequence[Row | Heading]) -> list[tuple[int, str]]:
    return [item for line in lines if isinstance(line, Heading) for item in line.columns.items()]


def _scaled_side(photo: np.ndarray) -> int:
    return len(photo) * max(1, round(TILE / len(photo)))


def _columns(rows: Sequence[Row], side: int, left: int) -> list[int]:
    """Returns where each column begins, and where the last one ends; one that no row fills is a narrow gap."""
    width = max(len(row.tiles) for row in rows)
    filled = [any(index < len(row.tiles) and row.tiles[index] for row in rows) for index in range(width)]
    starts = [left]
    for is_filled in filled:
        starts.append(starts[-1] + (side + SPACE if is_filled else GAP))
    return starts


def _words_width(lines: Sequence[Row | Heading]) -> int:
    words = [word for line in lines if isinstance(line, Row) for word in line.words]
    return int(max((_font().getlength(word) for word in words), default=0)) + (14 if words else 0)


def _draw_row(image: Image.Image, draw: ImageDraw.ImageDraw, row: Row, columns: list[int], top: int, side: int) -> None:
    first = top + (side - LINE_HEIGHT * len(row.words)) // 2
    for index, words in enumerate(row.words):
        draw.text((MARGIN, first + LINE_HEIGHT * index), words, fill=INK, font=_font())
    for tile, x in zip(row.tiles, columns, strict=False):
        if tile:
            _draw_tile(image, draw, tile, x, top, side)


def _draw_tile(image: Image.Image, draw: ImageDraw.ImageDraw, tile: Tile, x: int, y: int, side: int) -> None:
    pixels = tile.photo[..., 0] if tile.photo.shape[-1] == 1 else tile.photo
    # Without smoothing: the reader shall see the pixels that the encoder saw.
    photo = Image.fromarray(np.ascontiguousarray(pixels)).resize((side, side), Image.Resampling.NEAREST)
    colour = {True: RIGHT, False: WRONG, None: NEUTRAL}[tile.right]
    frame = FRAME if tile.right is not None else 1
    draw.rectangle((x - frame, y - frame, x + side + frame - 1, y + side + frame - 1), fill=colour)
    image.paste(photo.convert("RGB"), (x, y))
    if tile.right is not None:
        _draw_mark(draw, x + side - 14 + frame, y - frame, right=tile.right)


def _draw_mark(draw: ImageDraw.ImageDraw, x: int, y: int, *, right: bool) -> None:
    """Draws a tick or a cross on a square of 14 pixels."""
    draw.rectangle((x, y, x + 13, y + 13), fill=RIGHT if right else WRONG)
    strokes = [((3, 7), (6, 10), (11, 3))] if right else [((3, 3), (10, 10)), ((3, 10), (10, 3))]
    for stroke in strokes:
        draw.line([(x + dx, y + dy) for dx, dy in stroke], fill=PAPER, width=2)


def _draw_heading(draw: ImageDraw.ImageDraw, heading: Heading, columns: list[int], top: int) -> None:
    draw.text((MARGIN, top), heading.words, fill=INK, font=_font(bold=True))
    for column, words in heading.columns.items():
        draw.text((columns[column], top), words, fill=INK, font=_font(bold=True))


def _font(*, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The font that matplotlib ships, so that sheets look the same on every machine."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(folder / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"), FONT_SIZE)
