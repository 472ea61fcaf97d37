"""Lists what changes what a photo shows: parts removed, copied, replaced, cut out, blended with another photo."""

from collections.abc import Sequence
from functools import partial

import cv2
import numpy as np

from training.edits import collage, filters, hide
from training.edits.families.chance import one_of, region, uniform, whole
from training.edits.families.kind import Edit, Kind, in_order

Others = Sequence[np.ndarray]


def _removed(generator: np.random.Generator, _others: Others) -> Edit:
    places = [region(generator, smallest=0.12, largest=0.35, anywhere=False) for _ in range(whole(generator, 1, 2))]
    return in_order(*(partial(hide.inpaint, region=place) for place in places))


def _copied(generator: np.random.Generator, _others: Others) -> Edit:
    edits = []
    for _ in range(whole(generator, 1, 3)):
        down, right = uniform(generator, 0, 0.8), uniform(generator, 0, 0.8)
        place = region(generator, smallest=0.12, largest=0.35)
        edits.append(partial(hide.copy_move, region=place, down=down, right=right))
    return in_order(*edits)


def _replaced(generator: np.random.Generator, others: Others) -> Edit:
    edits = []
    for _ in range(whole(generator, 1, 2)):
        place = region(generator, smallest=0.15, largest=0.4, anywhere=False)
        edits.append(partial(hide.replace, region=place, other=one_of(generator, others)))
    return in_order(*edits)


def _cut_out(generator: np.random.Generator, others: Others) -> Edit:
    return partial(
        collage.cut_out,
        background=one_of(generator, others),
        mask=_figure(generator),
        size=uniform(generator, 0.8, 1.1),
        right=uniform(generator, 0.1, 0.9),
    )


def _figure(generator: np.random.Generator) -> np.ndarray:
    """Draws a mask, uint8 [128, 128], of an uneven figure that covers about half of the photo from its middle."""
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    radius = np.full(48, uniform(generator, 46, 58))
    for wave in range(2, 6):
        radius += uniform(generator, 0, 20 / wave) * np.cos(wave * turn + uniform(generator, 0, 6.3))
    points = np.stack([64 + radius * np.sin(turn), 64 - radius * np.cos(turn)], axis=1)
    mask = np.zeros((128, 128), np.uint8)
    cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 255, cv2.LINE_AA)
    return mask


def _blended(generator: np.random.Generator, others: Others) -> Edit:
    return partial(hide.blend, other=one_of(generator, others), opacity=uniform(generator, 0.25, 0.5))


def _background_blurred(generator: np.random.Generator, _others: Others) -> Edit:
    height, width = uniform(generator, 0.6, 1), uniform(generator, 0.5, 0.9)
    return partial(filters.blur_background, height=height, width=width, share=uniform(generator, 0.008, 0.025))


KINDS = (
    Kind("object_removed", _removed, "edited"),
    Kind("region_copied", _copied, "edited"),
    Kind("region_replaced", _replaced, "edited", needs_others=True),
    Kind("cut_out_on_background", _cut_out, "edited", needs_others=True),
    Kind("blended_with_another", _blended, "edited", needs_others=True),
    Kind("background_blurred", _background_blurred, "edited"),
)
