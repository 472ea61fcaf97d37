"""Draws what people do to photos: every kind of edit by name, and chains of them, from a seeded generator.

Training, calibration and evaluation take their edits from here. An edit that was drawn gives the same result for the
same photo as often as it is called.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from foundation.checks import require_choice, require_range
from foundation.errors import UsageError
from training.edits.families import files, forgeries, overlays, places, surroundings, tones
from training.edits.families.kind import Edit, Kind, in_order

__all__ = ["COMMON", "HARD", "KINDS", "Edit", "Kind", "draw", "draw_chain", "verdict_of"]

# The order is that of chains: first what changes the picture, in any order, then what it is put into, then its file.
_FAMILIES = (forgeries, places, tones, overlays, surroundings, files)
KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for family in _FAMILIES for kind in family.KINDS})

# What one sees on the web every day.
COMMON = (
    *("jpeg_high_quality", "jpeg_low_quality", "webp", "made_smaller", "made_larger", "blurred", "noisy", "sharpened"),
    *("crop_to_nine_tenths", "crop_to_half", "crop_to_quarter", "crop_to_eighth", "crop_to_other_aspect"),
    *("mirrored", "rotated_by_3_degrees", "rotated_by_8_degrees", "rotated_and_cropped", "quarter_turn", "stretched"),
    *("grey", "sepia", "colour_shifted", "saturated", "brighter", "darker", "other_contrast", "phone_filter"),
    *("with_logo", "with_stickers", "watermark_across", "caption_over_photo", "meme_text", "arrows_and_circles"),
    *("framed", "letterboxed", "banner_above", "banner_below", "in_screenshot", "in_post_with_comments"),
    *("collage_of_two", "collage_of_four", "on_background"),
)
HARD = tuple(name for name in KINDS if name not in COMMON)
# Kinds after which little is left of a photo are no part of chains, because people do not edit what they cannot see.
_NOT_CHAINED = (
    *("crop_to_six_percent", "crop_to_thin_strip", "heavily_blurred", "very_noisy", "near_black", "half_covered"),
    *("thumbnail_of_96_pixels", "collage_of_nine", "small_on_background", "small_in_desktop_screenshot"),
    *("in_search_results", "embossed", "pencil_sketch", "halftone", "pixelated", "cut_out_on_background"),
)
_LONGEST_CHAIN = 5
# How likely a family is in a chain: forgeries are rarer than what everybody does.
_CHANCES = (0.08, 0.22, 0.18, 0.18, 0.16, 0.18)


def draw(kind: str, generator: np.random.Generator, others: Sequence[np.ndarray]) -> Edit:
    """Returns an edit of that kind, with parameters of its own.

    `others` are other photos, uint8 [height, width, 3], for collages, backgrounds and patches: a sequence, or one array
    of several. Kinds without `needs_others` do without them. Raises UsageError for a name that is not in `KINDS`, and
    where others are missing.
    """
    require_choice("kind", kind, KINDS)
    if KINDS[kind].needs_others and not len(others):
        raise UsageError(f"{kind} needs other photos and got none; expected at least one")
    return KINDS[kind].draw(generator, others)


def draw_chain(generator: np.random.Generator, others: Sequence[np.ndarray], *, length: int) -> tuple[list[str], Edit]:
    """Returns the names of 2 to 5 kinds and the edit that makes them one after the other.

    Each is of another family, in an order that people follow: a photo is cropped, coloured and drawn upon, then put
    into something, then saved. Kinds that need other photos are left out where there are none.
    """
    require_range("length", length, 2, _LONGEST_CHAIN)
    chosen = sorted(generator.choice(len(_FAMILIES), length, replace=False, p=_CHANCES).tolist(), key=_stage)
    names = []
    for family in chosen:
        usable = [kind.name for kind in _FAMILIES[family].KINDS if kind.name not in _NOT_CHAINED]
        usable = [name for name in usable if len(others) or not KINDS[name].needs_others]
        names.append(usable[generator.integers(len(usable))])
    return names, in_order(*(draw(name, generator, others) for name in names))


def _stage(family: int) -> int:
    return max(0, family - 3)


def verdict_of(names: Sequence[str]) -> str:
    """Returns the verdict that is right for a chain: that of its kinds where they agree, otherwise `edited`.

    Saving a photo anew or at another size changes no other verdict.
    """
    verdicts = {KINDS[name].verdict for name in names}
    telling = verdicts - {"reencoded", "resized"} or verdicts - {"reencoded"} or verdicts
    return telling.pop() if len(telling) == 1 else "edited"
