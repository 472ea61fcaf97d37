"""Compresses local features to what an archive keeps of them, and what queries are compared by."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from foundation.photos.local_features import LocalFeatures

COMPRESSED = 64
# Made by `python -m training.projection`, of 2,000 photographs.
PROJECTION_FILE = Path(__file__).with_name("local_features_projection.npz")


@dataclass(frozen=True, eq=False)
class CompressedFeatures:
    """The local features of one photo with compressed descriptors, int8 [n, 64]; the rest is as in `LocalFeatures`."""

    width: int
    height: int
    keypoints: np.ndarray
    descriptors: np.ndarray

    def __len__(self) -> int:
        """The number of keypoints."""
        return len(self.keypoints)


def compress(features: LocalFeatures) -> CompressedFeatures:
    """Returns the features with descriptors of half the bytes, by which as many photos are found."""
    descriptors = compress_descriptors(features.descriptors)
    return CompressedFeatures(features.width, features.height, features.keypoints, descriptors)


def compress_descriptors(descriptors: np.ndarray) -> np.ndarray:
    """Returns descriptors uint8 [n, 128] as int8 [n, 64]: projected on fixed axes, of length 127 but for rounding.

    The axes are the principal ones of photographs' descriptors, the most telling first.
    """
    mean, axes = _projection()
    projected = (descriptors - mean) @ axes
    lengths = np.maximum(np.linalg.norm(projected, axis=1, keepdims=True), 1e-12)
    return np.rint(projected * (127 / lengths)).astype(np.int8)


@cache
def _projection() -> tuple[np.ndarray, np.ndarray]:
    # Fixed in a file, and not found anew for each archive: segments of different years must be searched with one query.
    with np.load(PROJECTION_FILE, allow_pickle=False) as arrays:
        return arrays["mean"], arrays["axes"]
