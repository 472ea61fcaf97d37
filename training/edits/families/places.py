"""Lists what moves a photo's pixels: crops, mirror images, rotations, perspective, stretching."""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np

from training.edits import geometry, warp
from training.edits.families.chance import either_way, one_of, scale, uniform
from training.edits.families.kind import Draw, Edit, Kind
from training.edits.opencv import Border

Others = Sequence[np.ndarray]
BORDERS: tuple[Border, ...] = ("black", "black", "edge", "reflect")


def crop_to(lowest: float, highest: float, *, aspects: float = 1.3) -> Draw:
    """Returns what draws a crop to a share of the area between those, anywhere in the photo."""

    def draw(generator: np.random.Generator, _others: Others) -> Edit:
        area, aspect = uniform(generator, lowest, highest), scale(generator, 1 / aspects, aspects)
        width = min(1, max(area, math.sqrt(area * aspect)))
        return _part(generator, height=area / width, width=width)

    return draw


def _part(generator: np.random.Generator, *, height: float, width: float) -> Edit:
    down, right = uniform(generator, 0, 1), uniform(generator, 0, 1)
    return partial(geometry.crop_at, height=height, width=width, down=down, right=right)


def _strip(generator: np.random.Generator, _others: Others) -> Edit:
    thin, long = uniform(generator, 0.18, 0.3), uniform(generator, 0.85, 1)
    height, width = (thin, long) if generator.random() < 0.6 else (long, thin)
    return _part(generator, height=height, width=width)


def _crop_to_aspect(generator: np.random.Generator, _others: Others) -> Edit:
    aspect = one_of(generator, (1, 4 / 5, 9 / 16, 16 / 9, 21 / 9))
    return partial(_keep_aspect, aspect=aspect, place=uniform(generator, 0.2, 0.8))


def _keep_aspect(photo: np.ndarray, *, aspect: float, place: float) -> np.ndarray:
    """Returns the largest part of that aspect; one that has it already becomes a fifth narrower."""
    height, width = photo.shape[:2]
    ratio = aspect * height / width
    ratio = 0.8 if abs(ratio - 1) < 0.02 else ratio
    share = {"height": max(min(1, 1 / ratio), 0.001), "width": max(min(1, ratio), 0.001)}
    return geometry.crop_at(photo, **share, down=place, right=place)


def _mirrored(_generator: np.random.Generator, _others: Others) -> Edit:
    return geometry.mirror


def _upside_down(_generator: np.random.Generator, _others: Others) -> Edit:
    return geometry.flip


def _rotated(lowest: float, highest: float, *, inside: bool = False) -> Draw:
    """Returns what draws a rotation by so many degrees either way, with its corners or cropped to the inside."""

    def draw(generator: np.random.Generator, _others: Others) -> Edit:
        degrees = either_way(generator, lowest, highest)
        if inside:
            return partial(warp.rotate_inside, degrees=degrees)
        border, expand = one_of(generator, BORDERS), bool(generator.random() < 0.5)
        return partial(geometry.rotate, degrees=degrees, expand=expand, border=border)

    return draw


def _quarter_turn(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(geometry.rotate, degrees=one_of(generator, (90, -90)))


def _half_turn(_generator: np.random.Generator, _others: Others) -> Edit:
    return partial(geometry.rotate, degrees=180)


def _sheared(generator: np.random.Generator, _others: Others) -> Edit:
    right, down = either_way(generator, 0.05, 0.3), either_way(generator, 0, 0.12)
    return partial(warp.shear, right=right, down=down, border=one_of(generator, BORDERS))


def _tilted(generator: np.random.Generator, _others: Others) -> Edit:
    moved = generator.uniform(0, 0.2, (4, 2))
    corners = np.abs(np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) - moved)
    return partial(warp.tilt, corners=corners.tolist(), border=one_of(generator, BORDERS[:3]))


def _stretched(generator: np.random.Generator, _others: Others) -> Edit:
    factor = scale(generator, 1.15, 1.6)
    return partial(geometry.stretch, aspect=factor if generator.random() < 0.5 else 1 / factor)


def _bent(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(warp.bend, strength=either_way(generator, 0.1, 0.3))


KINDS = (
    Kind("crop_to_nine_tenths", crop_to(0.85, 0.95), "cropped"),
    Kind("crop_to_half", crop_to(0.45, 0.55), "cropped"),
    Kind("crop_to_quarter", crop_to(0.22, 0.28), "cropped"),
    Kind("crop_to_eighth", crop_to(0.11, 0.135), "cropped"),
    Kind("crop_to_six_percent", crop_to(0.055, 0.065), "cropped"),
    Kind("crop_to_other_aspect", _crop_to_aspect, "cropped"),
    Kind("crop_to_thin_strip", _strip, "cropped"),
    Kind("mirrored", _mirrored, "mirrored"),
    Kind("upside_down_mirrored", _upside_down, "mirrored"),
    Kind("rotated_by_3_degrees", _rotated(2, 5), "rotated"),
    Kind("rotated_by_8_degrees", _rotated(6, 12), "rotated"),
    Kind("rotated_by_45_degrees", _rotated(25, 65), "rotated"),
    Kind("rotated_and_cropped", _rotated(3, 15, inside=True), "rotated"),
    Kind("quarter_turn", _quarter_turn, "rotated"),
    Kind("half_turn", _half_turn, "rotated"),
    Kind("sheared", _sheared, "edited"),
    Kind("seen_from_the_side", _tilted, "edited"),
    Kind("stretched", _stretched, "resized"),
    Kind("bent_by_a_lens", _bent, "edited"),
)
