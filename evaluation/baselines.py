"""Describes photos without a neural network: raw pixels, PCA, colour histograms, perceptual hashes.

Each takes photos, uint8 [n, side, side, 1 or 3].
"""

import cv2
import numpy as np

from evaluation.grey import resize_grey
from evaluation.local_features import local_feature_search
from evaluation.search_method import SearchMethod, by_vectors
from foundation.checks import require_range

# So many photos a block: their colours' shares of a palette take 26 MB.
BLOCK_PHOTOS = 100
PALETTE_STEPS = {1: 16, 3: 4}
HASH_SIDE = 8
DCT_SIDE = 32


def fixed_baselines() -> dict[str, SearchMethod]:
    """Returns every baseline that learns nothing, by name."""
    return {method.name: method for method in (*vector_baselines(), local_feature_search())}


def vector_baselines() -> list[SearchMethod]:
    """Returns the baselines that learn nothing and describe a photo by one vector."""
    return [
        by_vectors("raw_pixels", raw_pixels, title="raw pixels"),
        by_vectors("colour_histogram", colour_histogram, title="colour histogram"),
        by_vectors("perceptual_hash", perceptual_hash, title="pHash"),
        by_vectors("difference_hash", difference_hash, title="dHash"),
    ]


def raw_pixels(photos: np.ndarray) -> np.ndarray:
    """Returns the values of the pixels, 0 to 255, float32 [n, side · side · channels]."""
    return photos.reshape(len(photos), -1).astype(np.float32)


def principal_components(training_photos: np.ndarray, *, dimension: int, name: str = "pca") -> SearchMethod:
    """Returns PCA by the exact eigenvectors of the covariance; a reconstruction is cut off at black and white.

    Raises UsageError for a dimension that the training photos cannot fill.
    """
    # What needs the other baselines alone does without the library.
    from sklearn.decomposition import PCA

    largest = min(len(training_photos), training_photos[0].size)
    require_range("dimension", dimension, 1, largest, remedy="there are no more training photos, or pixels in one")
    # There are many more photos than pixels: the eigenvectors of the small covariance are exact and quick to get.
    pca = PCA(dimension, svd_solver="covariance_eigh").fit(raw_pixels(training_photos) / 255)

    def describe(photos: np.ndarray) -> np.ndarray:
        return pca.transform(raw_pixels(photos) / 255)

    def reconstruct(photos: np.ndarray) -> np.ndarray:
        return pca.inverse_transform(describe(photos)).clip(0, 1).reshape(photos.shape)

    return by_vectors(name, describe, title="PCA", reconstruct=reconstruct)


def colour_histogram(photos: np.ndarray) -> np.ndarray:
    """Returns multi-colour signatures: square roots of the shares that a photo has of a palette, float32 [n, colours].

    The palette is a grid of 4 × 4 × 4 RGB colours, or 16 greys for grey photos. Each pixel is shared among its colours
    by a Gaussian of the distance in CIELAB, as wide as half the mean distance from a palette's colour to the next.
    The Euclidean distance of the roots is Hellinger's distance of the histograms, but for a factor.

    Sources: Swain and Ballard, "Color Indexing", IJCV 1991 (histograms); van Gemert et al., "Visual Word Ambiguity",
    PAMI 2010 (soft assignment).
    """
    palette = _palette(photos.shape[-1])
    gaps = np.linalg.norm(palette[:, None] - palette, axis=2)
    variance = (np.sort(gaps, axis=1)[:, 1].mean() / 2) ** 2
    blocks = (photos[start : start + BLOCK_PHOTOS] for start in range(0, len(photos), BLOCK_PHOTOS))
    return np.concatenate([_shares(block, palette, variance) for block in blocks])


def perceptual_hash(photos: np.ndarray) -> np.ndarray:
    """Returns pHash as ±1, float32 [n, 64]: which low frequencies of the cosine transform are above their median.

    Squared Euclidean distances are four times Hamming's. Source: Zauner, "Implementation and Benchmarking of
    Perceptual Image Hash Functions", 2010; sizes and median as in the library ImageHash.
    """
    small = _grey(photos, DCT_SIDE, DCT_SIDE).astype(np.float64)
    frequencies, places = np.arange(HASH_SIDE)[:, None], np.arange(DCT_SIDE)
    cosines = np.cos(np.pi * frequencies * (2 * places + 1) / (2 * DCT_SIDE))
    low = (cosines @ small @ cosines.T).reshape(len(photos), -1)
    # Without rounding, the hash of a blank photo would be made of rounding errors.
    low = low.round(6)
    return _signs(low > np.median(low, axis=1, keepdims=True))


def difference_hash(photos: np.ndarray) -> np.ndarray:
    """Returns dHash as ±1, float32 [n, 64]: whether each of 9 × 8 pixels is darker than the next in its row.

    Squared Euclidean distances are four times Hamming's. Source: Krawetz, "Kind of Like That", The Hacker Factor Blog,
    2013.
    """
    small = _grey(photos, HASH_SIDE + 1, HASH_SIDE)
    return _signs((small[:, :, 1:] > small[:, :, :-1]).reshape(len(photos), -1))


def _palette(channels: int) -> np.ndarray:
    """Returns the palette's colours in CIELAB, float32 [colours, 3]."""
    steps = np.linspace(0, 1, PALETTE_STEPS[channels], dtype=np.float32)
    grid = np.stack(np.meshgrid(*[steps] * channels), axis=-1).reshape(1, -1, channels)
    return _to_lab(grid)[0]


def _to_lab(colours: np.ndarray) -> np.ndarray:
    """Returns RGB or grey in [0, 1] as CIELAB, float32 [rows, columns, 3]."""
    return cv2.cvtColor(np.ascontiguousarray(np.broadcast_to(colours, (*colours.shape[:2], 3))), cv2.COLOR_RGB2LAB)


def _shares(photos: np.ndarray, palette: np.ndarray, variance: float) -> np.ndarray:
    """Returns the square roots of each photo's shares of the palette's colours, float32 [n, colours]."""
    pixels = _to_lab(photos.reshape(len(photos), -1, photos.shape[-1]).astype(np.float32) / 255)
    # Squared distances without the pixel's own square: that is the same for all colours, and cancels in the shares.
    nearness = (pixels @ palette.T - (palette**2).sum(axis=1) / 2) / np.float32(variance)
    nearness -= nearness.max(axis=2, keepdims=True)
    weights = np.exp(nearness, out=nearness)
    weights /= weights.sum(axis=2, keepdims=True)
    return np.sqrt(weights.mean(axis=1))


def _grey(photos: np.ndarray, width: int, height: int) -> np.ndarray:
    """Returns the photos grey and of that size, uint8 [n, height, width]."""
    return np.stack([resize_grey(photo, width, height, cv2.INTER_AREA) for photo in photos])


def _signs(bits: np.ndarray) -> np.ndarray:
    return np.where(bits, np.float32(1), np.float32(-1))
