"""Draws two views of one photo, as an archive may hold it and as somebody passed it on: what should be found again."""

from collections.abc import Sequence

import cv2
import numpy as np

from foundation.photos.frame import Frame, grey, resize
from foundation.photos.metadata import MetadataBlocks
from training.edits import kinds
from training.edits.degrade import reencode
from training.edits.geometry import mirror

# Width divided by height of what cameras, phones and news pages make; portraits are as frequent as landscapes.
ASPECTS = (1.0, 4 / 3, 3 / 4, 3 / 2, 2 / 3, 16 / 9, 9 / 16)
# Of the views of an archive, these shares are cut from a larger photo, and compressed once more.
CUT_SHARE = 0.5
REENCODED_SHARE = 0.5
SMALLEST_CUT = 0.6
# Of the edited views, the share that went through several edits, one after the other. Of the others, the shares of what
# is learnt last and of what one sees every day; the rest are hard ones of every kind.
CHAINED_SHARE = 0.4
MOST_CHAINED = 3
LATE_SHARE = 0.55
COMMON_SHARE = 0.25
# After 1,500 steps in which every kind was drawn alike, two thirds of the kinds were found always, and these least.
LATE = (
    *("crop_to_half", "crop_to_quarter", "crop_to_eighth", "crop_to_thin_strip"),
    *("quarter_turn", "half_turn", "rotated_by_45_degrees"),
    *("grey", "sepia", "colour_shifted", "brighter", "darker", "other_contrast", "phone_filter", "letterboxed"),
    *("duotone", "near_black", "colours_inverted", "hue_turned", "solarised", "pencil_sketch"),
    *("collage_of_two", "collage_of_two", "collage_of_four", "collage_of_four", "on_background", "on_background"),
    *("in_screenshot", "in_newspaper", "in_desktop_screenshot", "photographed_screen", "cut_out_on_background"),
)


def draw_views(
    square: np.ndarray, others: Sequence[np.ndarray], generator: np.random.Generator, *, size: int
) -> np.ndarray:
    """Returns a square photo, uint8 [side, side, channels], as archived and as edited: [2, size, size, channels].

    `others` are other photos, `unsqueezed`, for edits that put the photo beside some or lay it on one.
    """
    photo = cut(unsqueezed(square, generator), generator)
    edited = draw_edit(generator, others)(photo)
    archived = (
        reencode(photo, quality=int(generator.integers(60, 96))) if generator.random() < REENCODED_SHARE else photo
    )
    return np.stack([squeezed(view, size=size, channels=square.shape[2]) for view in (archived, edited)])


def draw_edit(generator: np.random.Generator, others: Sequence[np.ndarray]) -> kinds.Edit:
    """Draws one edit of any kind, or a chain of some."""
    if generator.random() < CHAINED_SHARE:
        return kinds.draw_chain(generator, others, length=int(generator.integers(2, MOST_CHAINED + 1)))[1]
    families, shares = (LATE, kinds.COMMON, kinds.HARD), (LATE_SHARE, COMMON_SHARE, 1 - LATE_SHARE - COMMON_SHARE)
    names = families[int(generator.choice(3, p=shares))]
    return kinds.draw(names[int(generator.integers(len(names)))], generator, others)


def unsqueezed(square: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Returns a square photo, uint8 [side, side, 1 or 3], in a drawn aspect and about as many pixels, with 3 channels.

    The photo's own aspect is lost in the cache; edits, such as a rotation, shall meet all that there are.
    """
    side, stretch = len(square), float(generator.choice(ASPECTS)) ** 0.5
    photo = cv2.resize(square, (round(side * stretch), round(side / stretch)), interpolation=cv2.INTER_LINEAR)
    return photo if photo.ndim == 3 else cv2.cvtColor(photo, cv2.COLOR_GRAY2RGB)


def cut(photo: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Returns a part of the photo, or all of it, mirrored or not: another photo of an archive, for all that is learnt.

    Few photos become many; without it the same four thousand would be learnt by heart.
    """
    height, width = photo.shape[:2]
    if generator.random() < CUT_SHARE:
        kept_height, kept_width = np.rint(generator.uniform(SMALLEST_CUT, 1, 2) * (height, width)).astype(int)
        top, left = generator.integers((height - kept_height + 1, width - kept_width + 1))
        photo = photo[top : top + kept_height, left : left + kept_width]
    return mirror(photo) if generator.random() < 0.5 else photo.copy()


def squeezed(photo: np.ndarray, *, size: int, channels: int) -> np.ndarray:
    """Returns the photo as an encoder is given it: uint8 [size, size, channels], see `foundation.photos.frame`."""
    height, width = photo.shape[:2]
    frame = Frame(np.ascontiguousarray(photo), width, height, 1, MetadataBlocks())
    square = resize(frame, size, size)
    return square if channels == 3 else grey(square)
