"""Finds the upright box in which two pictures agree: what of a photo is really there in a query."""

import cv2
import numpy as np

# Boxes are sought on a grid of this step; below this share of differing pixels the whole overlap is shown.
STEP = 8
CLEARLY = 0.04
# Around a photo its rim, of so many pixels, is left out; fewer pixels than these are no surroundings.
RIM, LEAST = 7, 50


def shown(agreeing: np.ndarray, inside: np.ndarray) -> tuple[int, int, int, int]:
    """Returns top, bottom, left and right of the box with the most agreeing pixels less the differing ones.

    agreeing, inside: bool [h, w]. A photo that was cropped and pasted into a page ends where the page goes on; what
    was laid over its middle does not end it. Source: Bentley, "Programming Pearls", CACM 1984, in two dimensions.
    """
    differing = np.count_nonzero(inside) - np.count_nonzero(agreeing)
    height, width = inside.shape
    if differing <= CLEARLY * np.count_nonzero(inside):
        return 0, height, 0, width
    worth = agreeing.astype(np.float32) - (inside & ~agreeing)
    rows, columns = max(1, round(height / STEP)), max(1, round(width / STEP))
    top, bottom, left, right = _best_box(cv2.resize(worth, (columns, rows), interpolation=cv2.INTER_AREA))
    down, across = height / rows, width / columns
    return round(top * down), round(bottom * down), round(left * across), round(right * across)


def _best_box(worth: np.ndarray) -> tuple[int, int, int, int]:
    """Returns the box of the greatest sum, [top, bottom) and [left, right)."""
    sums = np.concatenate([np.zeros((1, worth.shape[1])), np.cumsum(worth, axis=0)])
    tops, bottoms = np.triu_indices(len(sums), 1)
    bands = sums[bottoms] - sums[tops]
    # Of every band of rows at once, the best run of columns that ends here, and the best of all so far.
    best, run = np.full(len(bands), -np.inf), np.full(len(bands), -np.inf)
    start = np.zeros(len(bands), int)
    left, right = start.copy(), start.copy()
    for column in range(worth.shape[1]):
        begins = run <= 0
        start = np.where(begins, column, start)
        run = np.where(begins, 0, run) + bands[:, column]
        better = run > best
        best = np.where(better, run, best)
        left, right = np.where(better, start, left), np.where(better, column + 1, right)
    chosen = int(best.argmax())
    return int(tops[chosen]), int(bottoms[chosen]), int(left[chosen]), int(right[chosen])


def unevenness(picture: np.ndarray, quad: np.ndarray) -> float:
    """Returns the standard deviation of the colours around a photo in a picture, in levels; 0 where there are none.

    picture: uint8 [h, w, 3]. quad: float64 [4, 2], the photo's corners in it.
    """
    photo = np.zeros(picture.shape[:2], np.uint8)
    far = 4 * max(picture.shape)
    cv2.fillConvexPoly(photo, np.rint(np.clip(quad, -far, far)).astype(np.int32), 1)
    around = cv2.dilate(photo, np.ones((RIM, RIM), np.uint8)) == 0
    if np.count_nonzero(around) < LEAST:
        return 0.0
    return float(cv2.meanStdDev(picture, mask=around.astype(np.uint8))[1].max())
