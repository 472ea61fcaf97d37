"""Draws the evidence of a copy: the query laid onto the photo, and a map of where the two differ."""

import numpy as np

from foundation.photos.local_features import frame_size
from serving.match.footprint import Size
from serving.match.geometry.transform import scaling
from serving.output.evidence.proof import Proof
from serving.output.pictures import PHOTO_SIDE, Picture

# Shares of the photo's contrast that are kept where the query does not show it.
PALE, PALER = 0.5, 0.2
# A difference below the first is what compression leaves; from the second on the colour is at its strongest.
FAINT, STRONG = 0.3, 0.8
ORANGE, CRIMSON = (255.0, 170.0, 0.0), (190.0, 0.0, 40.0)
# The grey in the place of a photo that is gone; and the scale of a query from which on it is not averaged down.
EMPTY, SHRUNK = 225, 0.7


def canvas_of(proof: Proof) -> np.ndarray:
    """Returns the photo as it is shown, uint8 [height, width, 3], or flat grey in its place if it is gone."""
    width, height = frame_size(*proof.photo_size, longest_side=PHOTO_SIDE)
    pixels = proof.original.pixels
    return np.full((height, width, 3), EMPTY, np.uint8) if pixels is None else pixels


def aligned(proof: Proof) -> np.ndarray | None:
    """Returns the query laid onto the photo, uint8 [height, width, 3]; pale where it does not cover it.

    A negative is turned back, so that both can be compared. None without evidence, or if the query is gone.
    """
    import cv2

    if proof.evidence is None or proof.query is None:
        return None
    canvas = canvas_of(proof)
    size = _size(canvas)
    to_canvas = scaling(proof.photo_size, size) @ proof.evidence.transform
    pixels = _no_larger_than_shown(proof.query, to_canvas)
    pixels = 255 - pixels if proof.evidence.is_inverted else pixels
    transform = to_canvas @ scaling(_size(pixels), proof.query.size)
    warped = cv2.warpPerspective(pixels, transform, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    covered = cv2.warpPerspective(np.ones(pixels.shape[:2], np.uint8), transform, size, flags=cv2.INTER_NEAREST)
    return np.where(covered[..., None] > 0, warped, _pale(canvas, PALER))


def difference_map(proof: Proof) -> np.ndarray | None:
    """Returns the photo in grey with its differences from the query in colour, uint8 [height, width, 3], if known."""
    import cv2

    if proof.difference is None:
        return None
    canvas = canvas_of(proof)
    size = (canvas.shape[1], canvas.shape[0])
    inside = ~np.isnan(proof.difference)
    strength = cv2.resize(np.where(inside, proof.difference, 0).astype(np.float32), size)
    inside = cv2.resize(inside.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)[..., None] > 0
    grey = np.repeat(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    share = np.clip((strength[..., None] - FAINT) / (STRONG - FAINT), 0, 1)
    colour = np.array(ORANGE) * (1 - share) + np.array(CRIMSON) * share
    opacity = 0.85 * np.sqrt(share)
    mapped = _pale(grey, PALE) * (1 - opacity) + colour * opacity
    return np.where(inside, mapped, _pale(grey, PALER)).astype(np.uint8)


def _no_larger_than_shown(query: Picture, to_canvas: np.ndarray) -> np.ndarray:
    """Returns the query averaged down to about the size it will have: a warp alone would skip most of its pixels."""
    import cv2

    size = _size(query.pixels)
    transform = to_canvas @ scaling(size, query.size)
    middle = np.array([size.width / 2, size.height / 2, 1])
    around = transform @ (middle[:, None] + [[0, 1, 0], [0, 0, 1], [0, 0, 0]])
    origin, right, below = (around[:2] / around[2]).T
    share = np.sqrt(abs(np.linalg.det([right - origin, below - origin])))
    if not 0 < share < SHRUNK:
        return query.pixels
    smaller = max(1, round(size.width * share)), max(1, round(size.height * share))
    return cv2.resize(query.pixels, smaller, interpolation=cv2.INTER_AREA)


def _size(pixels: np.ndarray) -> Size:
    return Size(pixels.shape[1], pixels.shape[0])


def _pale(pixels: np.ndarray, contrast: float) -> np.ndarray:
    return (255 - (255 - pixels.astype(np.float32)) * contrast).astype(np.uint8)
