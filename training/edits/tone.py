"""Changes a photo's values and none of its places: brightness, contrast, colour, posterisation.

Every edit takes uint8 [height, width, 1 or 3] and returns a new array of the same shape and type. A parameter out of
its bounds raises UsageError.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from foundation.checks import require_range
from training.edits.lettering import Colour, levels
from training.edits.opencv import with_channels


def brighten(photo: np.ndarray, *, factor: float) -> np.ndarray:
    """Returns the photo with all values multiplied by `factor`, 0.01 to 10, and cut off at white."""
    require_range("factor", factor, 0.01, 10)
    return with_channels(cv2.convertScaleAbs(photo, alpha=factor))


def adjust(photo: np.ndarray, *, brightness: float = 0, contrast: float = 1, gamma: float = 1) -> np.ndarray:
    """Returns the photo lighter by -255 to 255 levels, with 0 to 10 times the contrast, under a gamma of 0.1 to 10.

    Gamma comes first; above 1 it darkens. Contrast is about middle grey.
    """
    require_range("brightness", brightness, -255, 255)
    require_range("contrast", contrast, 0, 10)
    require_range("gamma", gamma, 0.1, 10)
    values = 255 * (np.arange(256) / 255) ** gamma
    return look_up(photo, (values - 127.5) * contrast + 127.5 + brightness)


def look_up(photo: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Returns the photo with each level replaced by its entry of `values`, [256] or [256, channels], rounded."""
    table = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    if table.ndim == 2:
        table = table[:, np.newaxis]
    return with_channels(cv2.LUT(photo, table))


def grey(photo: np.ndarray) -> np.ndarray:
    """Returns the brightness of the photo in all of its channels (ITU-R BT.601)."""
    if photo.shape[2] == 1:
        return photo.copy()
    return cv2.cvtColor(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def duotone(photo: np.ndarray, *, dark: Colour, light: Colour) -> np.ndarray:
    """Returns the photo's brightness as colours from `dark` to `light`, as sepia and duotone prints have them."""
    channels = photo.shape[2]
    ends = np.array([levels(colour, channels) for colour in (dark, light)], float)
    return look_up(grey(photo), ends[0] + np.linspace(0, 1, 256)[:, np.newaxis] * (ends[1] - ends[0]))


def saturate(photo: np.ndarray, *, factor: float) -> np.ndarray:
    """Returns the photo with 0 to 10 times the distance of its colours from grey; one channel stays as it is."""
    require_range("factor", factor, 0, 10)
    return cv2.addWeighted(photo, factor, grey(photo), 1 - factor, 0).reshape(photo.shape)


def turn_hue(photo: np.ndarray, *, degrees: float) -> np.ndarray:
    """Returns the photo with its hues turned by -360 to 360 degrees; one channel stays as it is."""
    require_range("degrees", degrees, -360, 360)
    if photo.shape[2] == 1:
        return photo.copy()
    # The hue of OpenCV's full range has 256 steps and wraps around as uint8 does.
    hsv = cv2.cvtColor(photo, cv2.COLOR_RGB2HSV_FULL)
    hsv[..., 0] += np.uint8(round(degrees * 256 / 360) % 256)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL)


def balance(photo: np.ndarray, *, gains: Sequence[float]) -> np.ndarray:
    """Returns the photo with each channel multiplied by its gain, 0 to 10: another white balance."""
    for gain in gains:
        require_range("gains", gain, 0, 10)
    return look_up(photo, np.arange(256)[:, np.newaxis] * np.array(gains[: photo.shape[2]]))


def invert(photo: np.ndarray) -> np.ndarray:
    """Returns the photo as its negative."""
    return 255 - photo


def posterise(photo: np.ndarray, *, steps: int) -> np.ndarray:
    """Returns the photo with that many levels in each channel, 2 to 256, evenly spread from black to white."""
    require_range("steps", steps, 2, 256)
    return look_up(photo, np.rint(np.linspace(0, steps - 1, 256)) * (255 / (steps - 1)))


def solarise(photo: np.ndarray, *, threshold: int) -> np.ndarray:
    """Returns the photo with all levels above a threshold, 0 to 255, turned into their negative."""
    require_range("threshold", threshold, 0, 255)
    values = np.arange(256)
    return look_up(photo, np.where(values > threshold, 255 - values, values))


def equalise(photo: np.ndarray, *, limit: float) -> np.ndarray:
    """Returns the photo with its brightness equalised in 8 × 8 fields, contrast raised by at most `limit`, 1 to 100.

    It is contrast-limited adaptive histogram equalisation (Zuiderveld, Graphics Gems IV, 1994).
    """
    require_range("limit", limit, 1, 100)
    fields = cv2.createCLAHE(limit, (8, 8))
    if photo.shape[2] == 1:
        return with_channels(fields.apply(photo))
    luma = cv2.cvtColor(photo, cv2.COLOR_RGB2YCrCb)
    luma[..., 0] = fields.apply(luma[..., 0])
    return cv2.cvtColor(luma, cv2.COLOR_YCrCb2RGB)


def recolour(photo: np.ndarray, *, colours: Sequence[Colour]) -> np.ndarray:
    """Returns the photo with its own brightness under four other colours, one a corner, as hand-coloured photos have.

    The corners are upper left, upper right, lower left, lower right; a photo of one channel stays as it is.
    """
    if photo.shape[2] == 1:
        return photo.copy()
    height, width = photo.shape[:2]
    field = cv2.resize(np.array(colours, np.uint8).reshape(2, 2, 3), (width, height), interpolation=cv2.INTER_LINEAR)
    luma = cv2.cvtColor(field, cv2.COLOR_RGB2YCrCb)
    luma[..., 0] = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    return cv2.cvtColor(luma, cv2.COLOR_YCrCb2RGB)
