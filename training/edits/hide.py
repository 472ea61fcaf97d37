"""Hides or replaces a part of a photo: box, blur, pixels, copied region, inpainting, another photo's patch.

Every edit takes uint8 [height, width, 1 or 3], returns a new array of the same shape and type, and gives the same for
the same parameters. A parameter out of its bounds raises UsageError. Parts are `Region`s in shares of the photo.
"""

from typing import Literal, NamedTuple

import cv2
import numpy as np

from foundation.checks import require_choice, require_range
from training.edits.degrade import pixelate
from training.edits.filters import quick_blur
from training.edits.lettering import Colour, levels
from training.edits.opencv import with_channels
from training.edits.paint import filled, fit_channels, paste, scaled, soft_ellipse
from training.edits.tone import look_up

Veil = Literal["blur", "pixels", "colour"]


class Region(NamedTuple):
    """A box in shares of a photo's height and width, 0 to 1; it is cut off at the photo's edges."""

    down: float
    right: float
    height: float
    width: float

    def slices(self, photo: np.ndarray) -> tuple[slice, slice]:
        """Returns the rows and columns of the box, at least one of each; raises UsageError for shares beyond 0 to 1."""
        for name, share in self._asdict().items():
            require_range(name, share, 0, 1)
        return _slice(self.down, self.height, photo.shape[0]), _slice(self.right, self.width, photo.shape[1])


def _slice(start: float, length: float, side: int) -> slice:
    first = min(round(start * side), side - 1)
    return slice(first, min(side, first + max(1, round(length * side))))


def veil(photo: np.ndarray, *, region: Region, how: Veil, colour: Colour = (0, 0, 0), oval: bool = False) -> np.ndarray:
    """Returns the photo with one part made unrecognisable, as faces and number plates are: a box, or its ellipse."""
    require_choice("how", how, ("blur", "pixels", "colour"))
    veiled = photo.copy()
    part = veiled[region.slices(photo)]
    if how == "blur":
        cover = quick_blur(np.ascontiguousarray(part), deviation=max(part.shape) / 10)
    elif how == "pixels":
        cover = pixelate(part, cells=7)
    else:
        cover = np.broadcast_to(np.array(levels(colour, photo.shape[2]), np.uint8), part.shape)
    paste(part, cover, top=0, left=0, mask=soft_ellipse(*part.shape[:2], softness=0.1) if oval else None)
    return veiled


def copy_move(photo: np.ndarray, *, region: Region, down: float, right: float) -> np.ndarray:
    """Returns the photo with an oval part of it repeated with its upper left corner at shares (down, right) of it."""
    require_range("down", down, -1, 1)
    require_range("right", right, -1, 1)
    moved = photo.copy()
    part = photo[region.slices(photo)]
    top, left = round(down * photo.shape[0]), round(right * photo.shape[1])
    paste(moved, part, top=top, left=left, mask=soft_ellipse(*part.shape[:2]))
    return moved


def replace(photo: np.ndarray, *, region: Region, other: np.ndarray) -> np.ndarray:
    """Returns the photo with an oval part of another photo, in the colours of what it covers, as in face swaps."""
    replaced = photo.copy()
    part = replaced[region.slices(photo)]
    patch = filled(fit_channels(other, photo.shape[2]), *part.shape[:2])
    shift = np.subtract(cv2.mean(part), cv2.mean(patch))
    patch = look_up(patch, np.arange(256)[:, np.newaxis] + shift[: photo.shape[2]])
    paste(part, patch, top=0, left=0, mask=soft_ellipse(*part.shape[:2]))
    return replaced


def inpaint(photo: np.ndarray, *, region: Region) -> np.ndarray:
    """Returns the photo with an oval part filled in from around it (Telea, Journal of Graphics Tools 9(1), 2004)."""
    inpainted = photo.copy()
    rows, columns = region.slices(photo)
    # The part and as much again around it is filled in at 48 pixels: the cost grows with the area, the look does not.
    room = [max(2, (part.stop - part.start) // 2) for part in (rows, columns)]
    top, left = max(0, rows.start - room[0]), max(0, columns.start - room[1])
    around = inpainted[top : rows.stop + room[0], left : columns.stop + room[1]]
    share = min(1, 48 / max(around.shape))
    small = scaled(around, round(around.shape[0] * share), round(around.shape[1] * share))
    mask = np.zeros((*around.shape[:2], 1), np.uint8)
    oval = soft_ellipse(rows.stop - rows.start, columns.stop - columns.start)
    paste(mask, oval[:, :, np.newaxis], top=rows.start - top, left=columns.start - left)
    hole = (scaled(mask, *small.shape[:2]) > 0).astype(np.uint8)
    fill = scaled(with_channels(cv2.inpaint(small, hole, 3, cv2.INPAINT_TELEA)), *around.shape[:2])
    paste(around, fill, top=0, left=0, mask=mask[..., 0])
    return inpainted


def blend(photo: np.ndarray, *, other: np.ndarray, opacity: float) -> np.ndarray:
    """Returns the photo with another one over it at an opacity of 0 to 1, as in double exposures."""
    require_range("opacity", opacity, 0, 1)
    over = filled(fit_channels(other, photo.shape[2]), *photo.shape[:2])
    return with_channels(cv2.addWeighted(photo, 1 - opacity, over, opacity, 0))
