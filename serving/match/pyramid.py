"""Keeps a picture at half, a quarter … of its size: each is made once, however often it is compared."""

import cv2
import numpy as np

# A picture is not reduced below this.
LEAST_SIDE = 16


class Pyramid:
    """A picture, uint8 [height, width, 3], and smaller ones made by halving it."""

    def __init__(self, picture: np.ndarray):
        self._levels = [picture]

    def at(self, halvings: int) -> np.ndarray:
        """Returns the picture halved so often, or less often where little would be left."""
        while len(self._levels) <= halvings and min(self._levels[-1].shape[:2]) >= 2 * LEAST_SIDE:
            last = self._levels[-1]
            size = (last.shape[1] // 2, last.shape[0] // 2)
            self._levels.append(cv2.resize(last, size, interpolation=cv2.INTER_AREA))
        return self._levels[min(halvings, len(self._levels) - 1)]
