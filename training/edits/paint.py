"""Puts masks of colour and other pictures into a picture in place; what lies beyond its edges is cut off.

Every picture is uint8 [height, width, 1 or 3], every mask uint8 [height, width]: 0 leaves the picture, 255 covers it.
"""

import cv2
import numpy as np

from training.edits.lettering import Colour, levels
from training.edits.opencv import with_channels


def blank(height: int, width: int, channels: int, colour: Colour) -> np.ndarray:
    """Returns a picture of one colour."""
    picture = np.empty((height, width, channels), np.uint8)
    fill(picture, colour)
    return picture


def fill(area: np.ndarray, colour: Colour) -> None:
    """Paints all of an area in one colour."""
    # A row of the colour is copied as a whole, where the colour alone would be copied pixel by pixel.
    area[:] = np.tile(np.array(levels(colour, area.shape[2]), np.uint8), (area.shape[1], 1))


def mix(under: np.ndarray, over: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """Returns `over` where the mask covers, `under` where it does not, and both in proportion in between."""
    weight = coverage.astype(np.float32) * np.float32(1 / 255)
    return with_channels(cv2.blendLinear(over, under, weight, 1 - weight))


def paint(image: np.ndarray, mask: np.ndarray, *, top: int, left: int, colour: Colour, opacity: float = 1) -> None:
    """Paints a colour through a mask whose upper left corner is at (top, left), which may lie outside."""
    # Most masks are empty but for a few strokes: only the box around those is worth computing.
    x, y, width, height = cv2.boundingRect(mask)
    target, part = _overlap(image, mask[y : y + height, x : x + width], top + y, left + x)
    if target.size:
        coverage = part if opacity == 1 else cv2.convertScaleAbs(part, alpha=opacity).reshape(part.shape)
        over = np.empty_like(target)
        fill(over, colour)
        target[:] = mix(target, over, coverage)


def paste(image: np.ndarray, patch: np.ndarray, *, top: int, left: int, mask: np.ndarray | None = None) -> None:
    """Puts another picture in, through a mask of its size where one is given."""
    target, part = _overlap(image, patch, top, left)
    if target.size:
        target[:] = part if mask is None else mix(target, part, _overlap(image, mask, top, left)[1])


def _overlap(image: np.ndarray, patch: np.ndarray, top: int, left: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the part of the image that a patch at that place covers, and the part of the patch that does so."""
    height, width = image.shape[:2]
    rows, columns = max(0, -top), max(0, -left)
    part = patch[rows : max(rows, height - top), columns : max(columns, width - left)]
    top, left = max(0, top), max(0, left)
    return image[top : top + part.shape[0], left : left + part.shape[1]], part


def scaled(photo: np.ndarray, height: int, width: int) -> np.ndarray:
    """Returns the photo at that size, at least one pixel a side; shrunk by averaging, enlarged bilinearly."""
    height, width = max(1, height), max(1, width)
    if photo.shape[:2] == (height, width):
        return photo.copy()
    shrinks = height * width < photo.shape[0] * photo.shape[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return with_channels(cv2.resize(photo, (width, height), interpolation=interpolation))


def filled(photo: np.ndarray, height: int, width: int) -> np.ndarray:
    """Returns the photo's largest middle part of that aspect at that size, as a page fills a box with a photo."""
    height, width = max(1, height), max(1, width)
    share = min(photo.shape[0] / height, photo.shape[1] / width)
    kept = max(1, round(height * share)), max(1, round(width * share))
    top, left = (photo.shape[0] - kept[0]) // 2, (photo.shape[1] - kept[1]) // 2
    return scaled(photo[top : top + kept[0], left : left + kept[1]], height, width)


def soft_ellipse(height: int, width: int, *, softness: float = 0.2) -> np.ndarray:
    """Returns a mask of that size: an ellipse that touches its sides and fades out over `softness` of its radius."""
    across = np.linspace(-1, 1, width, dtype=np.float32) ** 2
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, np.newaxis] ** 2
    inside = (1 - np.sqrt(across + down)) * (255 / max(softness, 0.01))
    return np.clip(inside, 0, 255).astype(np.uint8)


def fit_channels(photo: np.ndarray, channels: int) -> np.ndarray:
    """Returns the photo in 1 or 3 channels, whichever it has: grey photos are put into colour ones and vice versa."""
    if photo.shape[2] == channels:
        return photo
    code = cv2.COLOR_GRAY2RGB if channels == 3 else cv2.COLOR_RGB2GRAY
    return with_channels(cv2.cvtColor(photo, code))
