"""Loses detail of a photo, as compression, a sensor or a lens does: reencode, add noise, blur, sharpen.

Every edit takes uint8 [height, width, 1 or 3], returns a new array of the same shape and type, and gives the same for
the same parameters. A parameter out of its bounds raises UsageError.
"""

import io
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist

import cv2
import numpy as np
import simplejpeg
from PIL import Image

from foundation.checks import require_range
from foundation.errors import UsageError
from training.edits.opencv import BORDERS, Border, with_channels
from training.edits.paint import scaled


def to_jpeg(photo: np.ndarray, *, quality: int = 90) -> bytes:
    """Returns the photo as a JPEG of that quality, 1 to 100; raises UsageError above 65,500 pixels a side."""
    require_range("quality", quality, 1, 100)
    # OpenCV expects blue first.
    pixels = cv2.cvtColor(photo, cv2.COLOR_RGB2BGR) if photo.shape[2] == 3 else photo
    encoded, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not encoded:
        raise UsageError(f"cannot write a photo of shape {photo.shape} as JPEG; expected at most 65,500 pixels a side")
    return data.tobytes()


def reencode(photo: np.ndarray, *, quality: int) -> np.ndarray:
    """Returns the photo after a JPEG of that quality, 1 to 100."""
    return simplejpeg.decode_jpeg(to_jpeg(photo, quality=quality), colorspace="RGB" if photo.shape[2] == 3 else "GRAY")


def add_noise(photo: np.ndarray, *, deviation: float, seed: int | Sequence[int]) -> np.ndarray:
    """Returns the photo under Gaussian noise of that standard deviation, 0 to 255 levels, rounded and cut off.

    Each value gets noise of its own; `seed` is what `numpy.random.default_rng` takes. It is a parameter, not a
    generator, so that an edit that was drawn can be written down and repeated.
    """
    require_range("deviation", deviation, 0, 255)
    noisy = photo + np.random.default_rng(seed).normal(0, deviation, photo.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def blur(photo: np.ndarray, *, deviation: float, border: Border = "reflect") -> np.ndarray:
    """Returns the photo after a Gaussian filter of that standard deviation, 0 to 1,000 pixels.

    `border` is what the filter sees beyond the photo.
    """
    require_range("deviation", deviation, 0, 1000)
    if deviation == 0:
        return photo.copy()  # to OpenCV, 0 means "choose one by the filter's size", which is not given
    blurred = cv2.GaussianBlur(photo, (0, 0), deviation, borderType=BORDERS[border])
    return with_channels(blurred)


def reencode_webp(photo: np.ndarray, *, quality: int) -> np.ndarray:
    """Returns the photo after a lossy WebP of that quality, 1 to 100; at most 16,383 pixels a side."""
    require_range("quality", quality, 1, 100)
    require_range("longest side", max(photo.shape[:2]), 1, 16_383)
    file = io.BytesIO()
    # Pillow can choose the encoder's fastest method, which takes half the time of the one that OpenCV uses.
    Image.fromarray(photo if photo.shape[2] == 3 else photo[..., 0]).save(file, "WEBP", quality=quality, method=0)
    decoded = np.array(Image.open(file).convert("RGB" if photo.shape[2] == 3 else "L"))
    return with_channels(decoded)


def to_palette(photo: np.ndarray, *, colours: int, dither: bool) -> np.ndarray:
    """Returns the photo in a palette of 2 to 256 colours chosen for it, as GIF and small PNG files have."""
    require_range("colours", colours, 2, 256)
    image = Image.fromarray(photo if photo.shape[2] == 3 else photo[..., 0])
    dithered = Image.Dither.FLOYDSTEINBERG if dither else Image.Dither.NONE
    palette = image.quantize(colours, method=Image.Quantize.FASTOCTREE, dither=dithered)
    return with_channels(np.array(palette.convert("RGB" if photo.shape[2] == 3 else "L")))


def add_grain(photo: np.ndarray, *, deviation: float, size: float = 1, coloured: bool = True, seed: int) -> np.ndarray:
    """Returns the photo under Gaussian noise of that standard deviation, 0 to 80 levels, in grains of 1 to 20 pixels.

    It differs from `add_noise`, which trainings rely on, by grains, by noise of brightness alone, and by a tenth of
    the time: one random byte a value is looked up among the 256 quantiles of the normal distribution.
    """
    require_range("deviation", deviation, 0, 80)
    require_range("size", size, 1, 20)
    height, width, channels = photo.shape
    shape = max(1, round(height / size)), max(1, round(width / size)), channels if coloured else 1
    # Noise about middle grey is added and the grey subtracted again, because OpenCV has no sum of uint8 and int8.
    table = np.clip(np.rint(128 + deviation * _quantiles()), 0, 255).astype(np.uint8)
    noise = with_channels(cv2.LUT(np.random.default_rng(seed).integers(0, 256, shape, np.uint8), table))
    if noise.shape[:2] != (height, width):
        noise = with_channels(cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR))
    if noise.shape[2] != channels:
        noise = cv2.cvtColor(noise, cv2.COLOR_GRAY2RGB)
    return with_channels(cv2.addWeighted(photo, 1, noise, 1, -128))


@lru_cache
def _quantiles() -> np.ndarray:
    return np.array([NormalDist().inv_cdf((level + 0.5) / 256) for level in range(256)])


def motion_blur(photo: np.ndarray, *, length: float, degrees: float) -> np.ndarray:
    """Returns the photo smeared along a line of 1 to 200 pixels, turned counter-clockwise from the horizontal."""
    require_range("length", length, 1, 200)
    side = 2 * int(length / 2) + 3
    middle = side // 2
    across, down = np.cos(np.radians(degrees)) * length / 2, -np.sin(np.radians(degrees)) * length / 2
    # OpenCV draws a line to a sixteenth of a pixel, so that neighbouring directions differ.
    ends = [tuple(round(16 * (middle + sign * part)) for part in (across, down)) for sign in (-1, 1)]
    kernel = np.zeros((side, side), np.uint8)
    cv2.line(kernel, ends[0], ends[1], 255, 1, cv2.LINE_AA, 4)
    kernel[middle, middle] = max(kernel[middle, middle], 1)
    return with_channels(cv2.filter2D(photo, -1, kernel / np.float32(kernel.sum())))


def sharpen(photo: np.ndarray, *, amount: float, deviation: float) -> np.ndarray:
    """Returns the photo with 0 to 20 times its detail added, detail being what a blur of that deviation takes away."""
    require_range("amount", amount, 0, 20)
    require_range("deviation", deviation, 0.1, 100)
    blurred = cv2.GaussianBlur(photo, (0, 0), deviation)
    return with_channels(cv2.addWeighted(photo, 1 + amount, with_channels(blurred), -amount, 0))


def pixelate(photo: np.ndarray, *, cells: int) -> np.ndarray:
    """Returns the photo in squares of one colour, 1 to 1,000 of them along its longer side."""
    require_range("cells", cells, 1, 1000)
    height, width = photo.shape[:2]
    share = min(1, cells / max(height, width))
    small = max(1, round(width * share)), max(1, round(height * share))
    squares = cv2.resize(photo, small, interpolation=cv2.INTER_AREA)
    return with_channels(cv2.resize(squares, (width, height), interpolation=cv2.INTER_NEAREST))


def reupload(photo: np.ndarray, *, shares: Sequence[float], quality: int) -> np.ndarray:
    """Returns the photo after one resize and one JPEG for each share, 0.1 to 2, as it goes from site to site."""
    for share in shares:
        require_range("shares", share, 0.1, 2)
        height, width = photo.shape[:2]
        photo = reencode(scaled(photo, round(height * share), round(width * share)), quality=quality)
    return photo
