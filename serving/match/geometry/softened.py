"""Measures in how much of a query its photo lost its sharpness while the rest kept it, as blurred backgrounds do."""

import cv2
import numpy as np

# The window in which sharpness is measured, pixels of the thumbnail, and the least that can be lost: a mean square.
WINDOW, LEAST = 15, 30.0
# Only the sharper part of a photo can become less sharp; so many of its pixels are enough to tell.
SHARPER, ENOUGH = 40, 100
# The best part of a query says how sharp it could be: what has less than this share of that was blurred.
BEST, LOST = 90, 0.3


def softened(expects: np.ndarray, query: np.ndarray, where: np.ndarray) -> float:
    """Returns the share of what is sharp in a photo that is not in the query, beyond what all of it lost, 0 to 1.

    expects, query: grey float32 [h, w], the query as it should be and as it is. where: bool [h, w], what is looked at.
    """
    before, after = (
        cv2.blur(np.square(cv2.Laplacian(part, cv2.CV_32F, ksize=3)), (WINDOW, WINDOW)) for part in (expects, query)
    )
    looked_at = before[where]
    if len(looked_at) < ENOUGH:
        return 0.0
    sharp = where & (before > max(LEAST, float(np.percentile(looked_at, SHARPER))))
    if np.count_nonzero(sharp) < ENOUGH:
        return 0.0
    kept = np.sqrt(after[sharp] / (before[sharp] + 1))
    return float((kept < LOST * np.percentile(kept, BEST)).mean())
