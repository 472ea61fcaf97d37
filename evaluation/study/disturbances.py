"""Disturbs a photo before it is asked for, to measure whether a search still finds the clean one."""

import math
import zlib
from collections.abc import Callable
from functools import partial

import numpy as np

from evaluation.study.result import DISTURBANCES
from foundation.checks import require_choice
from foundation.errors import UsageError
from training.edits.degrade import add_noise, blur
from training.edits.geometry import rotate, shift
from training.edits.overlay import overlay_box

# Shares are of the range of values, or of the side, so that they mean the same for 28 × 28 digits and for larger
# photos. Twice the shift, or half as much rotation again, and raw pixels find next to nothing: no search could be told
# from another.
NOISE_SHARE = 0.3
BLUR_SHARE = 1 / 20
SHIFT_SHARE = 1 / 20
ROTATION_DEGREES = 10
OCCLUSION_SHARE = 1 / 3
OCCLUSION_VALUE = 128  # seen on the black ground of a digit as well as on the white of a shirt

Seed = tuple[int, ...]


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
    require_choice("disturbance", name, DISTURBANCES)
    if photos.dtype != np.uint8 or photos.ndim != 4 or photos.shape[1] != photos.shape[2]:
        received = f"{photos.dtype} {list(photos.shape)}"
        raise UsageError(f"photos are {received}; expected uint8 [n, side, side, channels]")
    disturbed = np.empty_like(photos)
    for position, photo in enumerate(photos):
        edit = _DRAWN[name](len(photo), (seed, zlib.crc32(name.encode()), position))
        disturbed[position] = edit(photo)
    return disturbed


def _draw_noise(_side: int, seed: Seed) -> partial[np.ndarray]:
    return partial(add_noise, deviation=NOISE_SHARE * 255, seed=seed)


def _draw_blur(side: int, _seed: Seed) -> partial[np.ndarray]:
    # Beyond the border lies more of the same, as for a shift and a rotation: a digit's black ground stays black.
    return partial(blur, deviation=BLUR_SHARE * side, border="edge")


def _draw_shift(side: int, seed: Seed) -> partial[np.ndarray]:
    angle, distance = np.random.default_rng(seed).uniform(0, 2 * math.pi), SHIFT_SHARE * side
    return partial(shift, right=round(distance * math.cos(angle)), down=round(distance * math.sin(angle)))


def _draw_rotation(_side: int, seed: Seed) -> partial[np.ndarray]:
    degrees = int(np.random.default_rng(seed).choice((-1, 1))) * ROTATION_DEGREES
    return partial(rotate, degrees=degrees, expand=False, border="edge")


def _draw_occlusion(side: int, seed: Seed) -> partial[np.ndarray]:
    square = max(1, round(OCCLUSION_SHARE * side))
    top, left = np.random.default_rng(seed).integers(0, side - square + 1, 2).tolist()
    return partial(overlay_box, top=top, left=left, height=square, width=square, colour=(OCCLUSION_VALUE,))


# Each draws the parameters of one edit for a photo of that side; the same seed draws the same.
_DRAWN: dict[str, Callable[[int, Seed], partial[np.ndarray]]] = {
    "noise": _draw_noise,
    "blur": _draw_blur,
    "shift": _draw_shift,
    "rotation": _draw_rotation,
    "occlusion": _draw_occlusion,
}
