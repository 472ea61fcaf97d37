"""Packs local features into few bytes, as shards and segments keep them: 72 bytes a feature; and unpacks them."""

import numpy as np

from foundation.checks import require_range
from foundation.errors import ArtifactRefusedError
from foundation.photos.compressed_features import COMPRESSED

# One packed keypoint: x, y, scale and angle, each two bytes of the same order on every machine.
PACKED = np.dtype("<u2")
KEYPOINT_BYTES = 4 * PACKED.itemsize
# Places and scales are rounded to 1/64 of a pixel, far below what is known of them, and angles to 1/180 of a degree.
PIXEL_PARTS = 64
TURN_PARTS = 65_536
LARGEST_FRAME = TURN_PARTS // PIXEL_PARTS - 1


def pack_keypoints(keypoints: np.ndarray, *, width: int, height: int) -> np.ndarray:
    """Returns keypoints, float32 [n, 4] (see `LocalFeatures`) in a frame of this size, as uint16 [n, 4].

    Raises UsageError for a frame of more than 1,023 pixels a side.
    """
    require_range("the longest side of a frame", max(width, height), 1, LARGEST_FRAME)
    # A corner at the very edge may be placed a little outside of the frame; the largest scales fill all of it.
    lengths = np.clip(np.rint(keypoints[:, :3] * PIXEL_PARTS), 0, TURN_PARTS - 1)
    lengths[:, :2] = np.minimum(lengths[:, :2], np.array([width, height]) * PIXEL_PARTS)
    turns = np.rint(keypoints[:, 3:] * (TURN_PARTS / 360)) % TURN_PARTS
    return np.concatenate([lengths, turns], axis=1).astype(PACKED)


def unpack_keypoints(packed: np.ndarray) -> np.ndarray:
    """Returns packed keypoints, uint16 [n, 4], as float32 [n, 4]: x, y and scale in pixels, angle in degrees."""
    return packed * np.array([1 / PIXEL_PARTS] * 3 + [360 / TURN_PARTS], np.float32)


def count_features(what: str, keypoint_bytes: np.ndarray, descriptor_bytes: np.ndarray) -> np.ndarray:
    """Returns the number of features of each photo, int64 [photos], from the bytes that are kept of it, int [photos].

    Raises ArtifactRefusedError, with `what` holds them, if the bytes are no whole features.
    """
    counts = keypoint_bytes.astype(np.int64) // KEYPOINT_BYTES
    if (counts * KEYPOINT_BYTES != keypoint_bytes).any() or (counts * COMPRESSED != descriptor_bytes).any():
        raise ArtifactRefusedError(
            f"{what} holds a photo whose keypoints and descriptors are not {KEYPOINT_BYTES} and {COMPRESSED} bytes a "
            "feature; encode again"
        )
    return counts


def require_in_frame(what: str, packed: np.ndarray, frames: np.ndarray) -> None:
    """Raises ArtifactRefusedError, with `what` holds them, if a keypoint lies outside of its photo's frame.

    packed: uint16 [n, 4]; frames: uint16 [n, 2], the width and height of each keypoint's frame.
    """
    if (packed[:, :2] > frames.astype(np.int64) * PIXEL_PARTS).any():
        raise ArtifactRefusedError(f"{what} holds a keypoint outside of its photo's frame; encode again")
