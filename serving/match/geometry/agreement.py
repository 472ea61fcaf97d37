"""Compares two aligned pictures block by block: how far they agree, where they differ, and how colours changed."""

from typing import NamedTuple

import cv2
import numpy as np

from serving.match.geometry.alignment import Comparison
from serving.match.geometry.shown import shown

# Blocks of this side in a thumbnail, less in small overlaps, half over each other.
BLOCK, LEAST_BLOCK = 24, 12
LEAST_TEXTURE = 5.0
# What changes more slowly than over this part of a block is no texture.
SLOW_PART = 3
AGREES = 0.7
# What blur, noise, print or many pixels made of one leave shows at a half or a quarter of the size, if there are so
# many blocks of it.
COARSE, LEAST_COARSE_BLOCKS = (1, 2), 6
# Where the map is above the first, the two differ; above the second, if they are the same to the pixel elsewhere.
DIFFERS, LEAST_DIFFERS = 0.5, 0.2
# Texture below some grey levels, and changes of tone below some, are what compression leaves.
FAINT, SMALL_TONE, LARGE_TONE = 6.0, 14.0, 60.0
# The windows that the map looks through, pixels of the thumbnail; tones are evened out over the second.
MAP_WINDOW, SLOW = 13, 101
# The share of the overlap that must surely be the same for the change of tone to be measured there alone.
SURELY = 0.05
TONE_STEP = 16


class Agreement(NamedTuple):
    """How far two pictures agree; the numbers are those of `serving.match.evidence.Dense`."""

    blocks: int
    agreement: float
    coarse_agreement: float
    correlation: float
    tone: float
    saturation: float
    differing: float
    difference: np.ndarray
    shown: tuple[int, int, int, int]


def agree(pair: Comparison) -> Agreement:
    """Returns what blocks of two aligned pictures say: normalised correlation, and colours."""
    one, other = (cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32) for part in (pair.thumbnail, pair.warped))
    inside = pair.mask > 0
    correlations = _blocks(one, other, pair.mask)
    difference = _difference(one, other, inside)
    agreeing = inside & ~_differs(difference, inside)
    tone, saturation = _colours(pair, agreeing)
    difference = _without_rim(difference, inside)
    difference[~inside] = np.nan
    return Agreement(
        len(correlations),
        float((correlations > AGREES).mean()) if len(correlations) else 0.0,
        max(_coarse(one, other, pair.mask, halvings) for halvings in COARSE),
        float(np.median(correlations)) if len(correlations) else 0.0,
        tone,
        saturation,
        float(1 - agreeing.sum() / max(inside.sum(), 1)),
        difference,
        shown(agreeing, inside),
    )


def _moments(one: np.ndarray, other: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns both local variances and the covariance."""
    window = (side, side)
    means = cv2.blur(one, window), cv2.blur(other, window)
    variances = [cv2.blur(part * part, window) - mean * mean for part, mean in zip((one, other), means, strict=True)]
    covariance = cv2.blur(one * other, window) - means[0] * means[1]
    return np.maximum(variances[0], 0), np.maximum(variances[1], 0), covariance


def _coarse(one: np.ndarray, other: np.ndarray, mask: np.ndarray, halvings: int) -> float:
    """Returns the share of blocks that correlate in pictures halved so often, 0 where there are too few."""
    size = tuple(max(1, length >> halvings) for length in mask.shape[::-1])
    one, other = (cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in (one, other))
    found = _blocks(one, other, cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST))
    return float((found > AGREES).mean()) if len(found) >= LEAST_COARSE_BLOCKS else 0.0


def _blocks(one: np.ndarray, other: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Returns how much each textured block correlates, float32 [blocks], in either sense: solarised skies are dark."""
    side = int(np.clip(np.sqrt(np.count_nonzero(mask)) / 4, LEAST_BLOCK, BLOCK))
    # Skies and studio walls run evenly from one tone to another, and any two of them correlate: without their slow
    # part they have no texture.
    one, other = (part - cv2.GaussianBlur(part, (0, 0), side / SLOW_PART) for part in (one, other))
    whole = cv2.erode(mask, np.ones((side, side), np.uint8), borderValue=0) > 0
    step = max(4, side // 2)
    rows, columns = (slice(side // 2, length - side // 2 + 1, step) for length in mask.shape)
    of_one, of_other, covariance = (part[rows, columns] for part in _moments(one, other, side))
    textured = whole[rows, columns] & (of_one > LEAST_TEXTURE**2)
    return np.abs(covariance / np.sqrt(of_one * of_other + 1.0))[textured]


def _difference(one: np.ndarray, other: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Returns float32 [h, w] from 0 to 1: where texture, or the tone after the common change of tone, differs."""
    of_one, of_other, covariance = _moments(one, other, MAP_WINDOW)
    correlation = np.clip(covariance / np.sqrt(of_one * of_other + 1.0), 0, 1)
    deviation = np.sqrt(np.maximum(of_one, of_other))
    texture = (1 - correlation) * deviation / (deviation + FAINT)
    soft = cv2.blur(one, (7, 7)), cv2.blur(other, (7, 7))
    # The common change of tone is that of what surely is the same: elsewhere there may be a white page.
    same = inside & (correlation > AGREES) & (deviation > LEAST_TEXTURE)
    same = same if np.count_nonzero(same) > SURELY * np.count_nonzero(inside) else inside
    change = soft[1] - _tone_curve(soft[0], *(part[::2, ::2][same[::2, ::2]] for part in soft))
    # Vignettes and uneven light change tones slowly from place to place, and cover nothing.
    even = (inside & (np.abs(change) < LARGE_TONE / 2)).astype(np.float32)
    change -= cv2.blur(change * even, (SLOW, SLOW)) / np.maximum(cv2.blur(even, (SLOW, SLOW)), 0.05)
    tone = np.clip((np.abs(change) - SMALL_TONE) / (LARGE_TONE - SMALL_TONE), 0, 1)
    return np.maximum(texture, tone).astype(np.float32)


def _differs(difference: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Returns where two pictures differ: bool [h, w]."""
    if not inside.any():
        return inside
    # What noise, blur and compression leave everywhere is no local difference.
    limit = float(np.clip(LEAST_DIFFERS + 3 * np.median(difference[inside]), 0, DIFFERS))
    # At the overlap's rim windows look beyond it; and they see what was laid over before they lie on it.
    core = _core(inside, MAP_WINDOW - 4)
    return cv2.erode((core & (difference > limit)).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0


def _core(inside: np.ndarray, width: int) -> np.ndarray:
    """Returns the overlap without a rim of half that width, bool [h, w]."""
    rim = np.ones((width, width), np.uint8)
    return cv2.erode(inside.astype(np.uint8), rim, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0


def _without_rim(difference: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Returns the map with the rim of the overlap as what lies beside it inside: the rim itself saw what is beyond."""
    # Two windows lie one upon the other here, of the tones and of their texture.
    core = _core(inside, MAP_WINDOW + 6)
    window = np.ones((MAP_WINDOW + 8, MAP_WINDOW + 8), np.uint8)
    spread = cv2.dilate(np.where(core, difference, 0).astype(np.float32), window)
    return np.where(core, difference, spread)


def _tone_curve(tones: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Returns the tones as the curve changes them that most pixels of one picture follow to the other."""
    edges = np.arange(0, 257, TONE_STEP)
    bins = np.digitize(one, edges) - 1
    found = [(edges[each] + TONE_STEP / 2, np.median(other[bins == each])) for each in np.unique(bins)]
    xs, ys = np.array(found or [(0.0, 0.0)]).T
    return np.interp(tones, xs, ys).astype(np.float32)


def _colours(pair: Comparison, agreeing: np.ndarray) -> tuple[float, float]:
    if agreeing.sum() < 16:
        return 0.0, 1.0
    one, other = (cv2.blur(part, (5, 5)) for part in (pair.thumbnail, pair.warped))
    where = agreeing.astype(np.uint8)
    change = sum(cv2.mean(cv2.absdiff(one, other), where)[:3]) / 3
    before, after = (_colourfulness(part, where) for part in (one, other))
    return change, (after + 2) / (before + 2)


def _colourfulness(picture: np.ndarray, where: np.ndarray) -> float:
    """Returns the mean distance of a pixel's strongest from its weakest channel."""
    red, green, blue = cv2.split(picture)
    most, least = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    return float(cv2.mean(cv2.subtract(most, least), where)[0])
