"""Tells what was laid over a photo, as text, logos and boxes are, from what still looks like a part of one.

A logistic regression on four measures of the pixels that were added, its weights fitted to 636 overlays and 166
forgeries of photos that no evaluation is made of.
"""

import cv2
import numpy as np

# The weights of the measures, in their order, and what is added at the end.
WEIGHTS, INTERCEPT = (4.97, 1.01, 7.61, 1.35), -9.59
# Colours are told apart in steps of this many levels. Fewer pixels than these say nothing of what they are of.
COLOUR_STEP, LEAST = 32, 8
# The edges of what was added lie within so many pixels of it.
RIM = 5


def synthetic(new: np.ndarray, query: np.ndarray, expects: np.ndarray, inside: np.ndarray) -> float:
    """Returns the probability, 0 to 1, that what was added was laid over, and is no part of a photograph.

    new, inside: bool [h, w], what was added and the overlap. query, expects: uint8 [h, w, 3], the query and what is
    expected of it.
    """
    if np.count_nonzero(new) < LEAST:
        return 1.0
    total = float(np.dot(WEIGHTS, measures(new, query, expects, inside))) + INTERCEPT
    return 1 / (1 + float(np.exp(-np.clip(total, -30, 30))))


def measures(new: np.ndarray, query: np.ndarray, expects: np.ndarray, inside: np.ndarray) -> tuple[float, ...]:
    """Returns how many of the pixels have colours that the photo lacks, how steep their edges are, in tens of levels,
    how many have one of their three commonest colours, and the logarithm of how many pieces they make.
    """
    numbers = _numbers(query[new])
    counts = np.sort(np.bincount(numbers))[::-1]
    lacking = 1 - float(np.isin(numbers, np.unique(_numbers(expects[inside]))).mean())
    # A blur of one pixel lets steps of a single pixel count less than edges do.
    grey = cv2.cvtColor(query, cv2.COLOR_RGB2GRAY).astype(np.float32)
    slope = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 8
    around = cv2.dilate(new.astype(np.uint8), np.ones((RIM, RIM), np.uint8)) > 0
    pieces, _ = cv2.connectedComponents(cv2.morphologyEx(new.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((RIM, RIM))))
    return lacking, float(np.percentile(slope[around], 90)) / 10, float(counts[:3].sum() / counts.sum()), np.log(pieces)


def _numbers(colours: np.ndarray) -> np.ndarray:
    red, green, blue = (colours // COLOUR_STEP).T.astype(int)
    steps = 256 // COLOUR_STEP
    return np.asarray((red * steps + green) * steps + blue)
