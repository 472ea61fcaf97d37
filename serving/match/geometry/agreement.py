"""Compares two aligned pictures block by block: how far they agree, where they differ, and how colours changed."""

from typing import NamedTuple

import cv2
import numpy as np

from serving.match.geometry.added import added, expected, moments
from serving.match.geometry.alignment import Comparison
from serving.match.geometry.colours import colours
from serving.match.geometry.look_of_added import look_of_added
from serving.match.geometry.shown import shown
from serving.match.geometry.softened import softened

# Blocks of this side in a thumbnail, less in small overlaps, half over each other.
BLOCK, LEAST_BLOCK = 24, 12
LEAST_TEXTURE = 5.0
# What changes more slowly than over this part of a block is no texture.
SLOW_PART = 3
AGREES, SURE = 0.7, 0.8
# Where the map is above the first, the two differ; above the second, if they are the same to the pixel elsewhere.
DIFFERS, LEAST_DIFFERS = 0.5, 0.2
# Texture below some grey levels, and changes of tone below some, are what compression leaves.
FAINT, SMALL_TONE, LARGE_TONE = 6.0, 14.0, 60.0
# The window that the map looks through, pixels of the thumbnail, and gaps up to which differences are closed.
MAP_WINDOW, CLOSED = 13, 9
# What leaves the levels of the photo around it by so many was added, and by so many times the surplus that the tenth
# with the most of it has where both surely show the same. The rim of the overlap is left out.
ADDED, TIMES_USUAL, LEAST_CERTAIN, ADDED_RIM = 30.0, 3.5, 50, 7


class Agreement(NamedTuple):
    """How far two pictures agree; the numbers are those of `serving.match.evidence.Dense`."""

    blocks: int
    agreement: float
    tone: float
    colour: float
    saturation: float
    differing: float
    added: float
    look_of_added: dict[str, float]
    softened: float
    difference: np.ndarray
    shown: tuple[int, int, int, int]


def agree(pair: Comparison) -> Agreement:
    """Returns what blocks of two aligned pictures say: normalised correlation, colours, and what was added."""
    one, other = (cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32) for part in (pair.thumbnail, pair.warped))
    inside = pair.mask > 0
    expects = expected(pair.thumbnail, pair.warped, inside)
    grey = cv2.cvtColor(expects, cv2.COLOR_RGB2GRAY).astype(np.float32)
    difference, certain = _difference(grey, other, inside)
    new = _new(added(expects, pair.thumbnail, pair.warped), inside, certain)
    agreeing = inside & ~_differs(difference, new, inside)
    tone, colour, saturation = colours(pair.thumbnail, pair.warped, agreeing)
    # What was done to the photo is told by all pixels, that it is one by those alone that no ignored photo explains.
    correlations = _blocks(one, other, pair.mask if pair.proving is None else pair.proving)
    whole = max(inside.sum(), 1)
    return Agreement(
        blocks=len(correlations),
        agreement=_share(correlations),
        tone=tone,
        colour=colour,
        saturation=saturation,
        differing=float(1 - agreeing.sum() / whole),
        added=float(new.sum() / whole),
        look_of_added=look_of_added(new, pair.warped, expects, inside),
        softened=softened(grey, other, _core(inside, MAP_WINDOW + 2) & ~_near(new)),
        difference=np.where(inside, _without_rim(difference, inside), np.float32(np.nan)),
        shown=shown(agreeing, inside),
    )


def _share(correlations: np.ndarray) -> float:
    """Returns the share of blocks that agree, 0 where there are none."""
    return float((correlations > AGREES).mean()) if len(correlations) else 0.0


def _blocks(one: np.ndarray, other: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Returns how much each textured block correlates, float32 [blocks], in either sense: solarised skies are dark."""
    side = int(np.clip(np.sqrt(np.count_nonzero(mask)) / 4, LEAST_BLOCK, BLOCK))
    # Skies and studio walls run evenly from one tone to another, and any two of them correlate: without their slow
    # part they have no texture.
    one, other = (part - cv2.GaussianBlur(part, (0, 0), side / SLOW_PART) for part in (one, other))
    whole = cv2.erode(mask, np.ones((side, side), np.uint8), borderValue=0) > 0
    step = max(4, side // 2)
    rows, columns = (slice(side // 2, length - side // 2 + 1, step) for length in mask.shape)
    of_one, of_other, covariance = (part[rows, columns] for part in moments(one, other, side))
    textured = whole[rows, columns] & (of_one > LEAST_TEXTURE**2)
    return np.abs(covariance / np.sqrt(of_one * of_other + 1.0))[textured]


def _difference(expects: np.ndarray, other: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns how far texture or tone is not as expected, float32 [h, w], 0 to 1, and where texture surely is: bool."""
    of_one, of_other, covariance = moments(expects, other, MAP_WINDOW)
    # Noise is everywhere: what the calmest quarter has of it is taken from all.
    left = of_one + of_other - 2 * covariance
    noise = float(np.percentile(left[inside], 25)) if inside.any() else 0.0
    of_other = np.maximum(of_other - noise, 0)
    correlation = np.clip(covariance / np.sqrt(of_one * of_other + 1.0), 0, 1)
    deviation = np.sqrt(np.maximum(of_one, of_other))
    texture = (1 - correlation) * deviation / (deviation + FAINT)
    change = np.abs(cv2.blur(other, (7, 7)) - cv2.blur(expects, (7, 7)))
    tone = np.clip((change - SMALL_TONE) / (LARGE_TONE - SMALL_TONE), 0, 1)
    certain = inside & (correlation > SURE) & (deviation > LEAST_TEXTURE)
    return np.maximum(texture, tone).astype(np.float32), certain


def _new(surplus: np.ndarray, inside: np.ndarray, certain: np.ndarray) -> np.ndarray:
    """Returns where the query shows what was added to the photo: bool [h, w]."""
    core = _core(inside, ADDED_RIM)
    certain = certain & core if np.count_nonzero(certain & core) > LEAST_CERTAIN else core
    if not core.any():
        return core
    # Sharpening and filters leave a surplus at every edge, where nothing was added.
    return np.asarray(core & (surplus > ADDED + TIMES_USUAL * np.percentile(surplus[certain], 90)))


def _differs(difference: np.ndarray, new: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Returns where two pictures differ: bool [h, w]."""
    if not inside.any():
        return inside
    # What noise, blur and compression leave everywhere is no local difference.
    limit = float(np.clip(LEAST_DIFFERS + 3 * np.median(difference[inside]), 0, DIFFERS))
    # At the overlap's rim windows look beyond it; and they see what was laid over before they lie on it.
    core = _core(inside, MAP_WINDOW - 4)
    far = cv2.erode((core & (difference > limit)).astype(np.uint8), np.ones((5, 5), np.uint8))
    # Here and there what was laid over happens to be like the photo.
    return np.asarray(cv2.morphologyEx(far | new, cv2.MORPH_CLOSE, np.ones((CLOSED, CLOSED), np.uint8)) > 0)


def _near(new: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.dilate(new.astype(np.uint8), np.ones((CLOSED, CLOSED), np.uint8)) > 0)


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
