"""Resizes a photo to one grey channel, for SIFT and perceptual hashes, which see no colour."""

import cv2
import numpy as np


def resize_grey(photo: np.ndarray, width: int, height: int, interpolation: int) -> np.ndarray:
    """Returns one photo, uint8 [height, width, 1 or 3], in grey and of that size: uint8 [height, width]."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY) if photo.shape[-1] == 3 else photo[..., 0]
    return cv2.resize(grey, (width, height), interpolation=interpolation)
