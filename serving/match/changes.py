"""Tells from the evidence what was done to a photo: each change that a verdict can name, one by one."""

from collections.abc import Sequence

import numpy as np

from serving.match.calibrate import laid_over
from serving.match.evidence import Dense, Evidence
from serving.match.geometry.transform import corners

# Shares of an area below which a photo was cropped, or stands in something larger: resizing and saving move edges by
# less than this.
WHOLE = 0.965
# A photo that was turned and kept its frame loses its corners, and one in a collage its margins: only less than this
# is a crop as well.
WHOLE_BESIDE = 0.55
TURNED_DEGREES, TURNED_IN_PAGE = 1.0, 10.0
# Programs place photos upright to a hundredth of a degree, people put pages on scanners less exactly.
SCANNED_DEGREES = 0.15
# How far sides may be from a right angle, and one side's scale from the other's, before a photo counts as bent.
SKEWED = 0.03
STRETCHED = 1.03
RESIZED = 1.03
# The change of colour, of 255, that is more than compression and other decoders make: all of it, and what is left of
# it when brightness is set aside.
TONE, COLOUR = 8.0, 3.5
# The share of the overlap in which something was added, whatever it is; filters leave some of their own. And the share
# that differs in a page's photo: players lay their buttons over it.
ADDED, ADDED_BY_FILTERS = 0.0005, 0.015
DIFFERING = 0.12
# Below this probability what was added is no text and no shape: it looks like a part of the photo.
LAID_OVER = 0.5
# The share of what is sharp in the photo that is not where its background was blurred.
BLURRED = 0.2
# Surroundings more even than this, in levels, are empty.
EMPTY = 6.0
# Bent photos have places so far off, in pixels of the thumbnail, and neighbours alike.
BENT_PIXELS = 0.8


def changes(evidence: Evidence) -> Sequence[str]:
    """Returns the verdicts that are right for parts of what was done, the weightiest first; none is left out.

    Of `resized` and `reencoded` there is at most one, and only where nothing else was done: who crops a photo saves
    it anew, and says nothing of that.
    """
    embedded, recoloured, inside = _is_embedded(evidence), _is_recoloured(evidence), change_inside(evidence)
    found = {
        "embedded": embedded,
        "cropped": _is_cropped(evidence, embedded=embedded),
        "mirrored": evidence.is_mirrored,
        "rotated": _is_rotated(evidence, TURNED_IN_PAGE if embedded else TURNED_DEGREES),
        "recoloured": recoloured and not (embedded and _is_by_camera(evidence)),
        "overlaid": inside == "covered",
        # Photographed screens and pages are seen at an angle: that is how they are embedded.
        "edited": (inside in ("replaced", "blurred") or is_bent(evidence)) and not embedded,
    }
    names = [name for name, is_so in found.items() if is_so]
    return names or ["resized" if _is_resized(evidence) else "reencoded"]


def change_inside(evidence: Evidence) -> str:
    """Returns what was done to a part of the photo, or nothing: "covered", "replaced", "blurred" or "".

    What was replaced still looks like a photo; what was blurred is a background, or as large as one.
    """
    dense = evidence.dense
    if dense is None:
        return ""
    recoloured = _is_recoloured(evidence)
    if dense.softened > BLURRED and dense.added < ADDED_BY_FILTERS and not recoloured:
        return "blurred"
    if _is_embedded(evidence):
        changed = dense.differing - _missing(dense, evidence) > DIFFERING
    else:
        changed = dense.added > (ADDED_BY_FILTERS if recoloured else ADDED) or dense.differing > DIFFERING
    return ("replaced" if laid_over(dense.look_of_added) < LAID_OVER else "covered") if changed else ""


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
    # Whoever warps a photo leaves nothing around it: that is no page, and no desk that a screen stands on.
    if evidence.dense is not None and evidence.dense.unevenness < EMPTY and is_bent(evidence):
        return False
    lowest, highest = corners(evidence.query_size)[[0, 2]]
    sides = np.clip(evidence.quad.max(axis=0), lowest, highest) - np.clip(evidence.quad.min(axis=0), lowest, highest)
    width, height = evidence.query_size
    return bool(sides.prod() / (width * height) < WHOLE)


def _is_by_camera(evidence: Evidence) -> bool:
    """Whether a screen or a printed page was photographed or scanned, which changes colours by itself."""
    return evidence.model == "perspective" or evidence.skew > SKEWED or _turn(evidence) > SCANNED_DEGREES


def _is_recoloured(evidence: Evidence) -> bool:
    dense = evidence.dense
    return evidence.is_inverted or (dense is not None and (dense.tone > TONE or dense.colour > COLOUR))


def is_bent(evidence: Evidence) -> bool:
    """Whether the photo was sheared, seen at an angle, or bent by a lens."""
    dense = evidence.dense
    moved = dense is not None and dense.displacement > max(BENT_PIXELS, 2.5 * dense.parallax)
    return evidence.model == "perspective" or evidence.skew > SKEWED or moved


def _is_resized(evidence: Evidence) -> bool:
    return max(evidence.scale, 1 / evidence.scale) > RESIZED or evidence.stretch > STRETCHED
