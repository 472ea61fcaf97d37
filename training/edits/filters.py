"""Gives a whole photo another look, as the filters of phones and sites do: vignette, fading, sketch, cartoon.

Every edit takes uint8 [height, width, 1 or 3], returns a new array of the same shape and type, and gives the same for
the same parameters. A parameter out of its bounds raises UsageError.
"""

import cv2
import numpy as np

from foundation.checks import require_range
from training.edits.lettering import Colour, levels
from training.edits.opencv import with_channels
from training.edits.paint import mix, paint, scaled, soft_ellipse
from training.edits.tone import grey, look_up, posterise


def vignette(photo: np.ndarray, *, strength: float, colour: Colour = (0, 0, 0)) -> np.ndarray:
    """Returns the photo fading into a colour towards its corners, where 0 to 1 of the photo is gone."""
    require_range("strength", strength, 0, 1)
    height, width = photo.shape[:2]
    across = np.linspace(-1, 1, width, dtype=np.float32) ** 2
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, np.newaxis] ** 2
    coverage = (across + down) * (255 * strength / 2)
    vignetted = photo.copy()
    paint(vignetted, coverage.astype(np.uint8), top=0, left=0, colour=colour)
    return vignetted


def fade(photo: np.ndarray, *, black: Colour, white: Colour) -> np.ndarray:
    """Returns the photo with its black and white replaced by those colours, all between them in proportion."""
    ends = [np.array(levels(colour, photo.shape[2]), float) for colour in (black, white)]
    return look_up(photo, ends[0] + np.linspace(0, 1, 256)[:, np.newaxis] * (ends[1] - ends[0]))


def leak_light(photo: np.ndarray, *, colour: Colour, down: float, right: float, strength: float) -> np.ndarray:
    """Returns the photo with a glow of that colour about a place in shares of height and width, -0.5 to 1.5.

    In the middle of the glow, which is about as large as the photo, 0 to 1 of the photo is gone.
    """
    for name, value in (("down", down), ("right", right)):
        require_range(name, value, -0.5, 1.5)
    require_range("strength", strength, 0, 1)
    height, width = photo.shape[:2]
    glow = cv2.convertScaleAbs(soft_ellipse(height, width, softness=1), alpha=strength)
    leaked = photo.copy()
    paint(leaked, glow, top=round(height * (down - 0.5)), left=round(width * (right - 0.5)), colour=colour)
    return leaked


def sketch(photo: np.ndarray, *, deviation: float) -> np.ndarray:
    """Returns the photo as a pencil drawing: its brightness divided by itself blurred by that deviation, 0.5 to 50."""
    require_range("deviation", deviation, 0.5, 50)
    light = grey(photo)
    around = cv2.GaussianBlur(255 - light[..., 0], (0, 0), deviation)
    drawn = cv2.divide(light[..., 0], 255 - around, scale=255)
    return np.repeat(drawn[:, :, np.newaxis], photo.shape[2], axis=2)


def cartoon(photo: np.ndarray, *, steps: int) -> np.ndarray:
    """Returns the photo in flat colours, `steps` levels a channel, 2 to 256, with dark lines along its edges."""
    height, width = photo.shape[:2]
    small = scaled(photo, height // 2, width // 2)
    flat = posterise(scaled(with_channels(cv2.medianBlur(small, 5)), height, width), steps=steps)
    light = cv2.blur(grey(photo)[..., 0], (3, 3))
    lines = cv2.adaptiveThreshold(light, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 9, 6)
    paint(flat, lines, top=0, left=0, colour=(20, 20, 20))
    return flat


def emboss(photo: np.ndarray, *, strength: float) -> np.ndarray:
    """Returns the photo as a relief lit from the upper left: its slope, 0.1 to 10 times, about middle grey."""
    require_range("strength", strength, 0.1, 10)
    kernel = np.array([[-2, -1, 0], [-1, 0, 1], [0, 1, 2]], np.float32) * strength
    relief = cv2.filter2D(grey(photo)[..., 0], -1, kernel, delta=128)
    return np.repeat(relief[:, :, np.newaxis], photo.shape[2], axis=2)


def scratch(photo: np.ndarray, *, lines: int, spots: int, seed: int) -> np.ndarray:
    """Returns the photo with thin light lines and spots, 0 to 200 of each, as old prints have."""
    require_range("lines", lines, 0, 200)
    require_range("spots", spots, 0, 200)
    height, width = photo.shape[:2]
    generator = np.random.default_rng(seed)
    mask = np.zeros((height, width), np.uint8)
    for x, y, slant, length in generator.random((lines, 4)).tolist():
        start = round(x * width), round(y * height)
        end = round((x + 0.1 * (slant - 0.5)) * width), round((y + length) * height)
        cv2.line(mask, start, end, int(100 + 120 * slant), 1, cv2.LINE_AA)
    for x, y, size in generator.random((spots, 3)).tolist():
        cv2.circle(mask, (round(x * width), round(y * height)), round(size * max(height, width) / 80), 200, -1)
    scratched = photo.copy()
    paint(scratched, mask, top=0, left=0, colour=(240, 235, 225))
    return scratched


def blur_background(photo: np.ndarray, *, height: float, width: float, share: float) -> np.ndarray:
    """Returns the photo blurred outside of an ellipse about its middle, as portrait modes do.

    The ellipse has shares of height and width, 0.1 to 1.5; the blur is a share of the longer side, 0.001 to 0.1.
    """
    for name, value in (("height", height), ("width", width)):
        require_range(name, value, 0.1, 1.5)
    require_range("share", share, 0.001, 0.1)
    blurred = quick_blur(photo, deviation=share * max(photo.shape))
    size = max(1, round(photo.shape[0] * height)), max(1, round(photo.shape[1] * width))
    sharp = np.zeros(photo.shape[:2], np.uint8)
    place = {"top": (photo.shape[0] - size[0]) // 2, "left": (photo.shape[1] - size[1]) // 2}
    paint(sharp[:, :, np.newaxis], soft_ellipse(*size, softness=0.3), colour=(255, 255, 255), **place)
    return mix(blurred, photo, sharp)


def quick_blur(photo: np.ndarray, *, deviation: float) -> np.ndarray:
    """Returns the photo after a strong Gaussian blur made on a smaller photo, which is many times faster."""
    height, width = photo.shape[:2]
    factor = max(1, deviation / 2)
    small = scaled(photo, round(height / factor), round(width / factor))
    return scaled(with_channels(cv2.GaussianBlur(small, (0, 0), deviation / factor)), height, width)
