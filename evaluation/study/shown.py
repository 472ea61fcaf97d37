"""Cuts photographs that pictures may show out of those that scikit-image ships for everybody's use."""

from pathlib import Path

import cv2
import numpy as np

from foundation.errors import InputNotFoundError
from foundation.photos import photo

# These are in the public domain or given free by their makers, as scikit-image's notes on its data say.
PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "hubble_deep_field.jpg", "retina.jpg", "rocket.jpg")
# Each photograph is shown whole and, at this share of its sides, by its four corners and its middle: six photos that
# a search should find by one another.
CUT = 0.6


def photographs(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns cuts of photographs, uint8 [n, size, size, 3], which each is of, int [n], and their names, text.

    Raises InputNotFoundError without scikit-image.
    """
    photos, labels = [], []
    for label, name in enumerate(PHOTOGRAPHS):
        whole = photo.decode((_folder() / name).read_bytes(), with_metadata=False).pixels
        for cut in (whole, *_cuts(whole)):
            photos.append(cv2.resize(cut, (size, size), interpolation=cv2.INTER_AREA))
            labels.append(label)
    names = np.array([name.partition(".")[0].partition("_")[0] for name in PHOTOGRAPHS])
    return np.stack(photos), np.array(labels), names


def _cuts(whole: np.ndarray) -> list[np.ndarray]:
    height, width = (round(side * CUT) for side in whole.shape[:2])
    bottom, right = whole.shape[0] - height, whole.shape[1] - width
    corners = [(0, 0), (0, right), (bottom, 0), (bottom, right), (bottom // 2, right // 2)]
    return [whole[top : top + height, left : left + width] for top, left in corners]


def _folder() -> Path:
    try:
        import skimage
    except ImportError as error:
        raise InputNotFoundError("the pictures need scikit-image; pip install '.[study]'") from error
    return Path(skimage.__file__).parent / "data"
