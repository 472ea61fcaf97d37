"""Loses detail of a photo, as compression, a sensor or a lens does: reencode, add noise, blur.

Every edit takes uint8 [height, width, 1 or 3], returns a new array of the same shape and type, and gives the same for
the same parameters. A parameter out of its bounds raises UsageError.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import simplejpeg

from foundation.checks import require_range
from foundation.errors import UsageError
from training.edits.opencv import BORDERS, Border, with_channels


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
