"""Measures how the colours of a photo changed where a query shows it."""

import cv2
import numpy as np

# Colours are compared in cells of so many pixels, of which most must be there, in so many cells at least.
CELL, CELL_PART, LEAST_CELLS = 8, 0.6, 4
# The rim of what was laid over, pixels of the thumbnail: it has the colours of both.
RIM = 7
# Below some levels there is no colour to speak of.
PALE = 6.0


def colours(photo: np.ndarray, query: np.ndarray, agreeing: np.ndarray) -> tuple[float, float, float]:
    """Returns how far colours moved, in levels, how far so with brightness set aside, and the ratio of colourfulness.

    photo, query: uint8 [h, w, 3], aligned. agreeing: bool [h, w], where they show the same. What was laid over a part
    is no change of all: the first is a median, and the second the 70th percentile of cells, which have little noise.
    """
    agreeing = cv2.erode(agreeing.astype(np.uint8), np.ones((RIM, RIM), np.uint8), borderValue=1)
    size = tuple(max(1, side // CELL) for side in agreeing.shape[::-1])
    share = cv2.resize(agreeing.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    used = share > CELL_PART
    if np.count_nonzero(used) < LEAST_CELLS:
        return 0.0, 0.0, 1.0
    one, other = (_cells(part, agreeing, size)[used] / share[used, None] for part in (photo, query))
    moved = other - one
    beside = moved - moved.mean(axis=1, keepdims=True)
    before, after = (float(np.ptp(part, axis=1).mean()) for part in (one, other))
    tone, colour = np.median(np.abs(moved).mean(axis=1)), np.percentile(np.abs(beside).mean(axis=1), 70)
    return float(tone), float(colour), (after + PALE) / (before + PALE)


def _cells(picture: np.ndarray, where: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    return cv2.resize(cv2.copyTo(picture, where).astype(np.float32), size, interpolation=cv2.INTER_AREA)
