"""Lists what happens to a photo's file and to its sharpness: compression, size, blur, noise."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from training.edits import degrade, geometry
from training.edits.families.chance import one_of, scale, seed, uniform, whole
from training.edits.families.kind import Edit, Kind, in_order

Others = Sequence[np.ndarray]


def _jpeg_high(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(degrade.reencode, quality=whole(generator, 60, 95))


def _jpeg_low(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(degrade.reencode, quality=whole(generator, 8, 35))


def _webp(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(degrade.reencode_webp, quality=whole(generator, 15, 85))


def _palette(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(
        degrade.to_palette, colours=one_of(generator, (16, 32, 64, 128, 256)), dither=generator.random() < 0.6
    )


def _smaller(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(geometry.resize, share=scale(generator, 0.35, 0.85))


def _larger(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(geometry.resize, share=scale(generator, 1.2, 2))


def _thumbnail(_generator: np.random.Generator, _others: Others) -> Edit:
    return partial(geometry.resize_to, longest=96)


def _upscaled(generator: np.random.Generator, _others: Others) -> Edit:
    size = whole(generator, 110, 180)
    larger = partial(geometry.resize_to, longest=round(size * uniform(generator, 2, 4)))
    sharper = partial(degrade.sharpen, amount=uniform(generator, 0.5, 2), deviation=1.5)
    return in_order(partial(geometry.resize_to, longest=size), larger, sharper)


def _blurred(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(_blur_by_size, share=scale(generator, 0.002, 0.008))


def _heavily_blurred(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(_blur_by_size, share=scale(generator, 0.01, 0.02))


def _blur_by_size(photo: np.ndarray, *, share: float) -> np.ndarray:
    return degrade.blur(photo, deviation=share * max(photo.shape[:2]))


def _motion(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(_smear_by_size, share=scale(generator, 0.01, 0.04), degrees=uniform(generator, 0, 180))


def _smear_by_size(photo: np.ndarray, *, share: float, degrees: float) -> np.ndarray:
    return degrade.motion_blur(photo, length=min(200, max(2, share * max(photo.shape[:2]))), degrees=degrees)


def _noisy(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(
        degrade.add_grain,
        deviation=uniform(generator, 5, 25),
        size=one_of(generator, (1, 1, 1.5)),
        coloured=generator.random() < 0.6,
        seed=seed(generator),
    )


def _very_noisy(generator: np.random.Generator, _others: Others) -> Edit:
    coloured = generator.random() < 0.6
    return partial(degrade.add_grain, deviation=uniform(generator, 35, 70), coloured=coloured, seed=seed(generator))


def _sharpened(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(degrade.sharpen, amount=uniform(generator, 0.5, 2), deviation=uniform(generator, 0.8, 2))


def _oversharpened(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(degrade.sharpen, amount=uniform(generator, 4, 9), deviation=uniform(generator, 1, 3))


def _pixelated(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(degrade.pixelate, cells=whole(generator, 60, 120))


def _reuploaded(generator: np.random.Generator, _others: Others) -> Edit:
    shares = [uniform(generator, 0.75, 1.2) for _ in range(whole(generator, 3, 5))]
    return partial(degrade.reupload, shares=shares, quality=whole(generator, 25, 70))


KINDS = (
    Kind("jpeg_high_quality", _jpeg_high, "reencoded"),
    Kind("jpeg_low_quality", _jpeg_low, "reencoded"),
    Kind("webp", _webp, "reencoded"),
    Kind("gif_palette", _palette, "reencoded"),
    Kind("made_smaller", _smaller, "resized"),
    Kind("made_larger", _larger, "resized"),
    Kind("thumbnail_of_96_pixels", _thumbnail, "resized"),
    Kind("thumbnail_enlarged", _upscaled, "resized"),
    Kind("blurred", _blurred, "reencoded"),
    Kind("heavily_blurred", _heavily_blurred, "reencoded"),
    Kind("motion_blurred", _motion, "reencoded"),
    Kind("noisy", _noisy, "reencoded"),
    Kind("very_noisy", _very_noisy, "reencoded"),
    Kind("sharpened", _sharpened, "reencoded"),
    Kind("oversharpened", _oversharpened, "reencoded"),
    Kind("pixelated", _pixelated, "reencoded"),
    Kind("uploaded_again_and_again", _reuploaded, "resized"),
)
