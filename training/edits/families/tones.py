"""Lists what changes a photo's values: grey, tints, brightness, filters, prints."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from training.edits import camera, degrade, filters, tone
from training.edits.families.chance import colour, either_way, one_of, scale, seed, uniform, vivid, whole
from training.edits.families.kind import Edit, Kind, in_order

Others = Sequence[np.ndarray]


def _grey(generator: np.random.Generator, _others: Others) -> Edit:
    return in_order(tone.grey, partial(tone.adjust, contrast=uniform(generator, 0.85, 1.3)))


def _sepia(generator: np.random.Generator, _others: Others) -> Edit:
    dark = (whole(generator, 10, 50), whole(generator, 5, 30), whole(generator, 0, 15))
    light = (255, whole(generator, 220, 245), whole(generator, 175, 215))
    return partial(tone.duotone, dark=dark, light=light)


def _duotone(generator: np.random.Generator, _others: Others) -> Edit:
    light = vivid(generator)
    # A vivid colour may be dark to the eye; the other one is then a light one, so that the photo stays to be seen.
    if 0.3 * light[0] + 0.6 * light[1] + 0.1 * light[2] < 110:
        return partial(tone.duotone, dark=light, light=colour(generator, lowest=190))
    return partial(tone.duotone, dark=colour(generator, highest=60), light=light)


def _colour_shifted(generator: np.random.Generator, _others: Others) -> Edit:
    gains = generator.uniform(0.65, 1.35, 3).tolist()
    return in_order(partial(tone.balance, gains=gains), partial(tone.saturate, factor=uniform(generator, 0.5, 1.7)))


def _hue_turned(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(tone.turn_hue, degrees=uniform(generator, 25, 335))


def _saturated(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(tone.saturate, factor=uniform(generator, 1.8, 3.5))


def _brighter(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(tone.adjust, brightness=uniform(generator, 25, 80), contrast=uniform(generator, 0.8, 1.3))


def _darker(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(tone.adjust, brightness=-uniform(generator, 25, 80), contrast=uniform(generator, 0.8, 1.3))


def _contrast(generator: np.random.Generator, _others: Others) -> Edit:
    strong = generator.random() < 0.6
    factor = uniform(generator, 1.4, 2.2) if strong else uniform(generator, 0.35, 0.65)
    return partial(tone.adjust, contrast=factor, brightness=either_way(generator, 0, 15))


def _gamma(generator: np.random.Generator, _others: Others) -> Edit:
    factor = scale(generator, 1.4, 2.4)
    return partial(tone.adjust, gamma=factor if generator.random() < 0.5 else 1 / factor)


def _near_black(generator: np.random.Generator, _others: Others) -> Edit:
    dark = partial(tone.brighten, factor=uniform(generator, 0.06, 0.14))
    return in_order(dark, partial(degrade.add_grain, deviation=uniform(generator, 0, 1.5), seed=seed(generator)))


def _inverted(_generator: np.random.Generator, _others: Others) -> Edit:
    return tone.invert


def _posterised(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(tone.posterise, steps=whole(generator, 3, 6))


def _solarised(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(tone.solarise, threshold=whole(generator, 110, 190))


def _equalised(generator: np.random.Generator, _others: Others) -> Edit:
    clearer = partial(tone.equalise, limit=uniform(generator, 2, 8))
    return in_order(clearer, partial(tone.saturate, factor=uniform(generator, 1, 1.8)))


def _colourised(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(tone.recolour, colours=[tuple(generator.integers(85, 170, 3).tolist()) for _ in range(4)])


def _phone_filter(generator: np.random.Generator, _others: Others) -> Edit:
    """Draws a look as photo apps offer it: a fading, another balance, a vignette or a light leak, grain."""
    black = tuple(generator.integers(0, 60, 3).tolist())
    white = tuple(generator.integers(200, 256, 3).tolist())
    edits: list[Edit] = [
        partial(tone.adjust, contrast=uniform(generator, 1, 1.5), gamma=scale(generator, 0.7, 1.4)),
        partial(tone.saturate, factor=uniform(generator, 0.4, 1.8)),
        partial(filters.fade, black=black, white=white),
    ]
    if generator.random() < 0.6:
        edits.append(partial(filters.vignette, strength=uniform(generator, 0.4, 0.9)))
    if generator.random() < 0.4:
        down, right = uniform(generator, -0.2, 1.2), one_of(generator, (-0.1, 1.1))
        strength = uniform(generator, 0.3, 0.7)
        edits.append(partial(filters.leak_light, colour=vivid(generator), down=down, right=right, strength=strength))
    if generator.random() < 0.4:
        edits.append(_film_grain(generator, ()))
    return in_order(*edits)


def _film_grain(generator: np.random.Generator, _others: Others) -> Edit:
    deviation, size = uniform(generator, 10, 30), uniform(generator, 1.2, 2.5)
    return partial(degrade.add_grain, deviation=deviation, size=size, coloured=False, seed=seed(generator))


def _vignetted(generator: np.random.Generator, _others: Others) -> Edit:
    ends = one_of(generator, ((0, 0, 0), (0, 0, 0), (255, 255, 255)))
    return partial(filters.vignette, strength=uniform(generator, 0.6, 1), colour=ends)


def _old_print(generator: np.random.Generator, others: Others) -> Edit:
    lines, spots = whole(generator, 5, 25), whole(generator, 5, 40)
    faded = partial(filters.fade, black=(60, 45, 35), white=(235, 220, 190))
    scratched = partial(filters.scratch, lines=lines, spots=spots, seed=seed(generator))
    return in_order(_sepia(generator, others), faded, scratched)


def _sketched(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(filters.sketch, deviation=uniform(generator, 3, 12))


def _cartoon(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(filters.cartoon, steps=whole(generator, 5, 10))


def _embossed(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(filters.emboss, strength=uniform(generator, 0.6, 1.6))


def _halftone(generator: np.random.Generator, _others: Others) -> Edit:
    """Draws a print in black dots, on white or newspaper, or one in three colours."""
    cell, degrees = uniform(generator, 3, 6), uniform(generator, 0, 90)
    if generator.random() < 0.3:
        return partial(camera.print_in_colour, cell=cell, degrees=degrees)
    paper = one_of(generator, ((255, 255, 255), (232, 224, 205), (240, 236, 228)))
    return partial(camera.halftone, cell=cell, degrees=degrees, paper=paper, ink=(25, 25, 28))


KINDS = (
    Kind("grey", _grey, "recoloured"),
    Kind("sepia", _sepia, "recoloured"),
    Kind("duotone", _duotone, "recoloured"),
    Kind("colour_shifted", _colour_shifted, "recoloured"),
    Kind("hue_turned", _hue_turned, "recoloured"),
    Kind("saturated", _saturated, "recoloured"),
    Kind("brighter", _brighter, "recoloured"),
    Kind("darker", _darker, "recoloured"),
    Kind("other_contrast", _contrast, "recoloured"),
    Kind("other_gamma", _gamma, "recoloured"),
    Kind("near_black", _near_black, "recoloured"),
    Kind("colours_inverted", _inverted, "recoloured"),
    Kind("posterised", _posterised, "recoloured"),
    Kind("solarised", _solarised, "recoloured"),
    Kind("local_contrast", _equalised, "recoloured"),
    Kind("colourised", _colourised, "recoloured"),
    Kind("phone_filter", _phone_filter, "recoloured"),
    Kind("film_grain", _film_grain, "reencoded"),
    Kind("vignetted", _vignetted, "recoloured"),
    Kind("old_print", _old_print, "recoloured"),
    Kind("pencil_sketch", _sketched, "recoloured"),
    Kind("cartoon", _cartoon, "recoloured"),
    Kind("embossed", _embossed, "recoloured"),
    Kind("halftone", _halftone, "recoloured"),
)
