"""Puts a photo among others: collages, on another photo, picture in picture, cut out on another background.

Every edit takes uint8 [height, width, 1 or 3], returns a new array of the same type and channels, and gives the same
for the same parameters. A parameter out of its bounds raises UsageError.
"""

from collections.abc import Sequence

import numpy as np

from foundation.checks import require_range
from training.edits.lettering import Colour
from training.edits.paint import blank, filled, fit_channels, paste, scaled


def collage(
    photo: np.ndarray,
    *,
    others: Sequence[np.ndarray],
    columns: int,
    place: int,
    aspect: float,
    size: float,
    gap: float,
    colour: Colour,
) -> np.ndarray:
    """Returns the photo and the others in a grid; `place` is the photo's cell, counted along the rows from 0.

    Cells have the photo's aspect times `aspect`, 0.2 to 5, and photos are cropped to fill them. The collage is `size`,
    0.2 to 3, times as wide as the photo; gaps are a share of a cell's width, 0 to 0.5.
    """
    require_range("place", place, 0, len(others))
    require_range("aspect", aspect, 0.2, 5)
    require_range("size", size, 0.2, 3)
    require_range("gap", gap, 0, 0.5)
    height, width, channels = photo.shape
    cell_width = max(1, round(width * size / columns))
    cell_height, space = max(1, round(cell_width * height / width / aspect)), round(cell_width * gap)
    shown = [*others[:place], photo, *others[place:]]
    rows = -(-len(shown) // columns)
    outer = rows * (cell_height + space) + space, columns * (cell_width + space) + space
    grid = blank(*outer, channels, colour)
    for number, one in enumerate(shown):
        row, column = divmod(number, columns)
        cell = filled(fit_channels(one, channels), cell_height, cell_width)
        paste(grid, cell, top=space + row * (cell_height + space), left=space + column * (cell_width + space))
    return grid


def put_on(
    photo: np.ndarray, *, background: np.ndarray, area: float, aspect: float, down: float, right: float, rim: float = 0
) -> np.ndarray:
    """Returns the whole photo on a background photo, of whose area it takes a share, 0.01 to 1.

    The photo keeps its pixels unless it would not fit; the picture's aspect is the photo's times `aspect`, 0.2 to 5.
    `down` and `right`, 0 to 1, are its place; `rim`, 0 to 0.2, is a white border as a share of its shorter side.
    """
    for name, value, lowest, highest in (
        ("area", area, 0.01, 1),
        ("aspect", aspect, 0.2, 5),
        ("down", down, 0, 1),
        ("right", right, 0, 1),
        ("rim", rim, 0, 0.2),
    ):
        require_range(name, value, lowest, highest)
    height, width, channels = photo.shape
    factor = max(area**-0.5, aspect**0.5, aspect**-0.5)
    shape = round(height * factor / aspect**0.5), round(width * factor * aspect**0.5)
    picture = filled(fit_channels(background, channels), *shape)
    edge = round(rim * min(height, width))
    top = round((picture.shape[0] - height - 2 * edge) * down)
    left = round((picture.shape[1] - width - 2 * edge) * right)
    picture[max(0, top) : top + height + 2 * edge, max(0, left) : left + width + 2 * edge] = 255
    paste(picture, photo, top=top + edge, left=left + edge)
    return picture


def picture_in_picture(
    photo: np.ndarray, *, other: np.ndarray, size: float, down: float, right: float, rim: float
) -> np.ndarray:
    """Returns the photo with another one laid small over it, 0.05 to 0.8 of its height and width.

    `down` and `right`, 0 to 1, are the other's place; `rim`, 0 to 0.1 of the photo's shorter side, is a white border.
    """
    for name, value, lowest, highest in (("size", size, 0.05, 0.8), ("down", down, 0, 1), ("right", right, 0, 1)):
        require_range(name, value, lowest, highest)
    require_range("rim", rim, 0, 0.1)
    height, width, channels = photo.shape
    laid = photo.copy()
    inset = filled(fit_channels(other, channels), round(height * size), round(width * size))
    edge = round(rim * min(height, width))
    top, left = round((height - inset.shape[0]) * down), round((width - inset.shape[1]) * right)
    laid[max(0, top - edge) : top + inset.shape[0] + edge, max(0, left - edge) : left + inset.shape[1] + edge] = 255
    paste(laid, inset, top=top, left=left)
    return laid


def cut_out(photo: np.ndarray, *, background: np.ndarray, mask: np.ndarray, size: float, right: float) -> np.ndarray:
    """Returns what a mask keeps of the photo before another background, `size`, 0.2 to 1.5, times as large.

    The mask is uint8 [any, any] and is stretched over the photo. The cut-out stands on the lower edge; `right`, 0 to 1,
    is its place along it.
    """
    require_range("size", size, 0.2, 1.5)
    require_range("right", right, 0, 1)
    height, width, channels = photo.shape
    picture = filled(fit_channels(background, channels), height, width)
    figure = scaled(photo, round(height * size), round(width * size))
    cut = scaled(mask[:, :, np.newaxis], *figure.shape[:2])[..., 0]
    paste(picture, figure, top=height - figure.shape[0], left=round((width - figure.shape[1]) * right), mask=cut)
    return picture
