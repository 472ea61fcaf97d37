"""Adapts OpenCV to the edits: restores the channel axis that it drops, and names what lies beyond a photo's border."""

from typing import Literal

import cv2
import numpy as np

# Black, or as numpy.pad calls them: the outermost values go on (edge), or the photo is mirrored about them (reflect).
Border = Literal["black", "edge", "reflect"]
BORDERS: dict[Border, int] = {
    "black": cv2.BORDER_CONSTANT,
    "edge": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT_101,
}


def with_channels(edited: np.ndarray) -> np.ndarray:
    """Returns [height, width, channels] of what OpenCV made, which is [height, width] for a single channel."""
    return edited if edited.ndim == 3 else edited[:, :, np.newaxis]
