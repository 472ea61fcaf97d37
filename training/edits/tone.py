"""Changes a photo's values and none of its places: brighten.

An edit takes uint8 [height, width, 1 or 3] and returns a new array of the same shape and type. A parameter out of its
bounds raises UsageError.
"""

import cv2
import numpy as np

from foundation.checks import require_range
from training.edits.opencv import with_channels


def brighten(photo: np.ndarray, *, factor: float) -> np.ndarray:
    """Returns the photo with all values multiplied by `factor`, 0.01 to 10, and cut off at white."""
    require_range("factor", factor, 0.01, 10)
    return with_channels(cv2.convertScaleAbs(photo, alpha=factor))
