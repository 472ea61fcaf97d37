"""Finds what a query shows that its photo does not: nothing that other colours, light, blur or noise explain."""

import cv2
import numpy as np

# Curves of colours bend at these levels, of 255. They are fitted to so many pixels, again and again without those
# that are far off.
BENDS = (43, 85, 128, 170, 213)
FITTED, REPEATED = 1200, 4
RIDGE = 1e-3
# Light changes slowly from place to place: over this many pixels of the thumbnail, seen at a quarter of its size.
SLOW, REDUCED = 101, 4
# What is farther off than this, in levels, is not what light did; nor are contrasts that change by more.
FAR_OFF, OFF = 40.0, 25.0
GAINS = (0.3, 3.0)
# The window in which texture is compared, in pixels of half the thumbnail; above such a correlation of what is not
# flat, it surely is the same. Where that is hardly anywhere, curves are fitted to the whole overlap.
WINDOW, SAME, TEXTURE, SURELY = 7, 0.7, 5.0, 0.05


def expected(photo: np.ndarray, query: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Returns the query as it would be if only colours and light had been changed: uint8 [h, w, 3].

    photo, query: uint8 [h, w, 3], aligned. inside: bool [h, w], the overlap.
    """
    half = tuple(max(1, side // 2) for side in inside.shape[::-1])
    inside_half = cv2.resize(inside.astype(np.uint8), half, interpolation=cv2.INTER_NEAREST) > 0
    # An overlap of a single row or column may be gone at half the size: there is nothing to fit curves to.
    if not inside_half.any():
        return photo
    one, other = (cv2.resize(part, half, interpolation=cv2.INTER_AREA) for part in (photo, query))
    same = _same(one, other, inside_half)
    curves = _curves(one, other, same)
    gain, shift = _light(_recoloured(one, curves), other, same)
    gain, shift = (cv2.resize(part, inside.shape[::-1])[..., None] for part in (gain, shift))
    return np.clip(_recoloured(photo, curves) * gain + shift, 0, 255).astype(np.uint8)


def added(expects: np.ndarray, photo: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Returns by how many levels a query leaves what is expected at a pixel and its neighbours: uint8 [h, w].

    What is as in the photo itself was not added either, whatever the curves say of its colours.
    """
    soft = cv2.blur(query, (3, 3))
    red, green, blue = cv2.split(cv2.min(_beyond(expects, soft), _beyond(photo, soft)))
    return np.asarray(cv2.max(cv2.max(red, green), blue))


def _beyond(known: np.ndarray, soft: np.ndarray) -> np.ndarray:
    near = np.ones((3, 3), np.uint8)
    # OpenCV's differences of bytes end at zero.
    return np.asarray(cv2.max(cv2.subtract(soft, cv2.dilate(known, near)), cv2.subtract(cv2.erode(known, near), soft)))


def _same(one: np.ndarray, other: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Returns where both surely show the same: bool [h, w]."""
    grey, grey_there = (cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32) for part in (one, other))
    of_one, of_other, covariance = moments(grey, grey_there, WINDOW)
    textured = np.maximum(of_one, of_other) > TEXTURE**2
    # Curves may turn a part of the tones to their negative, as solarising does: texture may be the opposite as well.
    same = inside & textured & (np.abs(covariance) > SAME * np.sqrt(of_one * of_other + 1.0))
    return same if np.count_nonzero(same) > SURELY * np.count_nonzero(inside) else inside


def moments(one: np.ndarray, other: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns both local variances and the covariance of grey pictures, float32 [h, w] each."""
    window = (side, side)
    means = cv2.blur(one, window), cv2.blur(other, window)
    variances = [cv2.blur(part * part, window) - mean * mean for part, mean in zip((one, other), means, strict=True)]
    covariance = cv2.blur(one * other, window) - means[0] * means[1]
    return np.maximum(variances[0], 0), np.maximum(variances[1], 0), covariance


def _curves(photo: np.ndarray, query: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Returns what each level of each of the photo's colours adds to each of the query's: float32 [3, 256, 3].

    Least squares with Cauchy's weights: what lies over a part of the photo shall not bend the curves.
    """
    at = np.flatnonzero(same)
    at = at[:: max(1, len(at) // FITTED)]
    terms = np.concatenate([_terms(photo.reshape(-1, 3)[at]).reshape(len(at), -1), np.ones((len(at), 1))], axis=1)
    levels = query.reshape(-1, 3)[at].astype(float)
    weights = np.ones(len(at))
    ridge = RIDGE * len(at) * np.eye(terms.shape[1])
    ridge[-1, -1] = 0
    for _ in range(REPEATED):
        weighted = terms.T * weights
        solved = np.linalg.solve(weighted @ weighted.T + ridge, weighted @ (weights[:, None] * levels))
        off = np.abs(terms @ solved - levels).mean(axis=1)
        weights = 1 / (1 + (off / (2 * max(float(np.median(off)), 1.0))) ** 2)
    parts = _terms(np.arange(256)[:, None].repeat(3, axis=1))
    each = solved[:-1].reshape(3, -1, 3)
    return np.asarray(np.einsum("lct,cto->clo", parts, each) + solved[-1] / 3, np.float32)


def _terms(levels: np.ndarray) -> np.ndarray:
    """Returns what curves are made of, [n, 3 colours, terms]: each colour, and what of it lies above each bend."""
    share = levels[..., None] / 255
    return np.concatenate([share, *(np.maximum(0, share - bend / 255) for bend in BENDS)], axis=2)


def _recoloured(photo: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """Returns a picture with its colours changed by curves: float32 [h, w, 3]."""
    red, green, blue = (np.take(curve, photo[..., colour], axis=0) for colour, curve in enumerate(curves))
    return np.asarray(red + green + blue)


def _light(expects: np.ndarray, query: np.ndarray, same: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns how the query's light changes contrast and brightness from place to place: float32, at a small size."""
    size = tuple(max(1, 2 * side // REDUCED) for side in same.shape[::-1])
    one, other, inside = (
        cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        for part in (expects.mean(axis=2), query.mean(axis=2, dtype=np.float32), same.astype(np.float32))
    )
    gain, shift = np.ones_like(one), np.zeros_like(one)
    for most in (FAR_OFF, OFF):
        used = inside * (np.abs(gain * one + shift - other) < most)
        total, of_one, of_other, squared, together = (
            cv2.blur(part, (SLOW // REDUCED, SLOW // REDUCED))
            for part in (used, used * one, used * other, used * one * one, used * one * other)
        )
        total = np.maximum(total, 0.02)
        mean, to = of_one / total, of_other / total
        variance = np.maximum(squared / total - mean * mean, 0)
        gain = np.clip((together / total - mean * to + 100) / (variance + 100), *GAINS)
        shift = to - gain * mean
    return gain, shift
