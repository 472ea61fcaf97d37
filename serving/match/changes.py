"""Tells from the evidence what was done to a photo: each change that a verdict can name, one by one."""

from collections.abc import Sequence

import numpy as np

from serving.match.evidence import Dense, Evidence
from serving.match.geometry.transform import apply, corners

# Shares of an area below which a photo was cropped, or stands in something larger: resizing and saving move edges by
# less than this.
WHOLE = 0.965
# A photo that was turned and kept its frame loses its corners, and one in a collage its margins: only less than this
# is a crop as well.
WHOLE_BESIDE = 0.55
TURNED_DEGREES, TURNED_IN_PAGE = 1.0, 10.0
# How far sides may be from a right angle, and one side's scale from the other's, before a photo counts as bent.
SKEWED = 0.03
STRETCHED = 1.03
RESIZED = 1.03
# The mean change of colour, of 255, that is more than compression and other decoders make, and colourfulness likewise.
TONE = 8.0
LEAST_SATURATION, MOST_SATURATION = 0.7, 1.5
# The share of the overlap that differs where something was laid over it; filters and pages leave some of their own.
COVERED, COVERED_BESIDE = 0.003, 0.12
# Bent photos have places so far off, in pixels of the thumbnail, and neighbours alike.
BENT_PIXELS = 0.8


def changes(evidence: Evidence) -> Sequence[str]:
    """Returns the verdicts that are right for parts of what was done, the weightiest first; none is left out.

    Of `resized` and `reencoded` there is at most one, and only where nothing else was done: who crops a photo saves
    it anew, and says nothing of that.
    """
    dense = evidence.dense
    embedded, recoloured = _is_embedded(evidence), evidence.is_inverted or (dense is not None and _is_recoloured(dense))
    covered = COVERED_BESIDE if embedded or recoloured else COVERED
    found = {
        "embedded": embedded,
        "cropped": _is_cropped(evidence, embedded=embedded),
        "mirrored": evidence.is_mirrored,
        "rotated": _is_rotated(evidence, TURNED_IN_PAGE if embedded else TURNED_DEGREES),
        "recoloured": recoloured,
        "overlaid": dense is not None and dense.differing - (_missing(dense, evidence) if embedded else 0) > covered,
        # Photographed screens and pages are seen at an angle: that is how they are embedded.
        "edited": _is_bent(evidence) and not embedded,
    }
    names = [name for name, is_so in found.items() if is_so]
    return names or ["resized" if _is_resized(evidence) else "reencoded"]


def _turn(evidence: Evidence) -> float:
    """Returns how far the photo is from standing upright or on a side, degrees from 0 to 45."""
    return abs((evidence.rotation + 45) % 90 - 45)


def _is_cropped(evidence: Evidence, *, embedded: bool) -> bool:
    beside = embedded or _turn(evidence) > TURNED_DEGREES
    shown = evidence.dense.photo_shown if embedded and evidence.dense else evidence.photo_overlap
    return shown < (WHOLE_BESIDE if beside else WHOLE)


def _missing(dense: Dense, evidence: Evidence) -> float:
    """Returns the share of the overlap that is no part of what is shown: the page around a cropped photo."""
    return 1 - min(1.0, dense.photo_shown / max(evidence.photo_overlap, 1e-9))


def _is_rotated(evidence: Evidence, least: float) -> bool:
    angle = abs(evidence.rotation)
    # Top and bottom exchanged is a mirror image too, turned by half.
    return min(angle, 180 - angle) > least if evidence.is_mirrored else angle > least


def _is_embedded(evidence: Evidence) -> bool:
    """Whether the query is larger than the smallest upright box around the photo in it."""
    quad = apply(np.linalg.inv(evidence.transform), corners(evidence.photo_size))
    lowest, highest = corners(evidence.query_size)[[0, 2]]
    sides = np.clip(quad.max(axis=0), lowest, highest) - np.clip(quad.min(axis=0), lowest, highest)
    width, height = evidence.query_size
    return bool(sides.prod() / (width * height) < WHOLE)


def _is_recoloured(dense: Dense) -> bool:
    return dense.tone > TONE or not LEAST_SATURATION < dense.saturation < MOST_SATURATION


def _is_bent(evidence: Evidence) -> bool:
    dense = evidence.dense
    moved = dense is not None and dense.displacement[0] > max(BENT_PIXELS, 2.5 * dense.parallax)
    return evidence.model == "perspective" or evidence.skew > SKEWED or moved


def _is_resized(evidence: Evidence) -> bool:
    return max(evidence.scale, 1 / evidence.scale) > RESIZED or evidence.stretch > STRETCHED
