"""What is done to a photo before it is asked for: can a search still find the clean one?"""

import math
import zlib
from collections.abc import Callable

import cv2
import numpy as np

from evaluation.study.result import DISTURBANCES
from foundation.errors import UsageError

# Of the range of values, or of the side: the same for 28 × 28 digits and larger photos. Twice the shift, or half as
# much rotation again, and raw pixels find next to nothing: no search could be told from another.
NOISE_SHARE = 0.3
BLUR_SHARE = 1 / 20
SHIFT_SHARE = 1 / 20
ROTATION_DEGREES = 10
OCCLUSION_SHARE = 1 / 3
OCCLUSION_VALUE = 128  # seen on the black ground of a digit as well as on the white of a shirt


def disturb(photos: np.ndarray, name: str, *, seed: int) -> np.ndarray:
    """Returns the photos disturbed, uint8 [n, side, side, channels]; the originals stay as they are.

    - noise: Gaussian, standard deviation 0.3 of the range of values;
    - blur: Gaussian, standard deviation a twentieth of the side;
    - shift: a twentieth of the side in a random direction, to whole pixels;
    - rotation: 10 degrees, either way;
    - occlusion: a grey square, a third of the side, at a random place.

    What a shift or a rotation uncovers is filled with the values of the border. Chance depends on the seed, the name
    and the position among the photos, on nothing else.
    Raises UsageError for another name, and for anything but square uint8 photos.
    """
    if name not in _DISTURBANCES:
        raise UsageError(f"disturbance {name!r} is unknown; expected one of {', '.join(DISTURBANCES)}")
    if photos.dtype != np.uint8 or photos.ndim != 4 or photos.shape[1] != photos.shape[2]:
        received = f"{photos.dtype} {list(photos.shape)}"
        raise UsageError(f"photos are {received}; expected uint8 [n, side, side, channels]")
    disturbed = np.empty_like(photos)
    for position, photo in enumerate(photos):
        generator = np.random.default_rng((seed, zlib.crc32(name.encode()), position))
        # OpenCV drops the axis of a single channel.
        disturbed[position] = _DISTURBANCES[name](photo, generator).reshape(photo.shape)
    return disturbed


def _noise(photo: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    noisy = photo + generator.normal(0, NOISE_SHARE * 255, photo.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def _blur(photo: np.ndarray, _generator: np.random.Generator) -> np.ndarray:
    return cv2.GaussianBlur(photo, (0, 0), BLUR_SHARE * len(photo), borderType=cv2.BORDER_REPLICATE)


def _shift(photo: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    angle, distance = generator.uniform(0, 2 * math.pi), SHIFT_SHARE * len(photo)
    right, down = round(distance * math.cos(angle)), round(distance * math.sin(angle))
    return _warp(photo, np.array([[1, 0, right], [0, 1, down]], np.float64))


def _rotation(photo: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    centre = (len(photo) - 1) / 2
    return _warp(photo, cv2.getRotationMatrix2D((centre, centre), generator.choice((-1, 1)) * ROTATION_DEGREES, 1))


def _occlusion(photo: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    square = max(1, round(OCCLUSION_SHARE * len(photo)))
    top, left = generator.integers(0, len(photo) - square + 1, 2)
    occluded = photo.copy()
    occluded[top : top + square, left : left + square] = OCCLUSION_VALUE
    return occluded


def _warp(photo: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return cv2.warpAffine(photo, matrix, photo.shape[:2], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


_DISTURBANCES: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "noise": _noise,
    "blur": _blur,
    "shift": _shift,
    "rotation": _rotation,
    "occlusion": _occlusion,
}
