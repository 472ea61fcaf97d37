"""Measures how much what was added to a photo looks like a part of it: text, logos and boxes do not, forgeries do."""

import cv2
import numpy as np

# Colours are told apart in steps of this many levels. Fewer pixels than these say nothing of what they are of.
COLOUR_STEP, LEAST = 32, 8
# How many colours are its commonest ones.
COMMONEST = 3
# The edges of what was added lie within so many pixels of it.
RIM = 5


def look_of_added(new: np.ndarray, query: np.ndarray, expects: np.ndarray, inside: np.ndarray) -> dict[str, float]:
    """Returns measures by name, the higher the more like a part of the photo; none where too little was added.

    They are the share of its pixels that have colours of the photo, how soft their edges are, in tens of levels, the
    share that has none of their commonest colours, and how few pieces they make, as a logarithm.
    new, inside: bool [h, w], what was added and the overlap. query, expects: uint8 [h, w, 3], the query and what is
    expected of it.
    """
    if np.count_nonzero(new) < LEAST:
        return {}
    numbers = _numbers(query[new])
    counts = np.sort(np.bincount(numbers))[::-1]
    # A blur of one pixel lets steps of a single pixel count less than edges do.
    grey = cv2.cvtColor(query, cv2.COLOR_RGB2GRAY).astype(np.float32)
    slope = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 8
    around = cv2.dilate(new.astype(np.uint8), np.ones((RIM, RIM), np.uint8)) > 0
    closed = cv2.morphologyEx(new.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((RIM, RIM), np.uint8))
    pieces, _ = cv2.connectedComponents(closed)
    return {
        "known_colours": float(np.isin(numbers, np.unique(_numbers(expects[inside]))).mean()),
        "soft_edges": -float(np.percentile(slope[around], 90)) / 10,
        "varied_colours": float(counts[COMMONEST:].sum() / counts.sum()),
        "few_pieces": -float(np.log(pieces)),
    }


def _numbers(colours: np.ndarray) -> np.ndarray:
    red, green, blue = (colours // COLOUR_STEP).T.astype(int)
    steps = 256 // COLOUR_STEP
    return np.asarray((red * steps + green) * steps + blue)
