"""Makes the columns of a shard that hold a photo's local features and its thumbnail."""

from typing import Any

import numpy as np

from foundation.photos.compressed_features import compress
from foundation.photos.frame import grey
from foundation.photos.local_features import extract
from foundation.photos.local_features_bytes import pack_keypoints
from foundation.photos.thumbnail import encode_thumbnail


def local_columns(frame: np.ndarray) -> dict[str, Any]:
    """Returns the columns of `local_fields` for a photo's frame, uint8 [height, width, 3]; about 20 KB."""
    found = compress(extract(grey(frame)[..., 0]))
    packed = pack_keypoints(found.keypoints, width=found.width, height=found.height)
    return {
        "frame_width": found.width,
        "frame_height": found.height,
        "keypoints": packed.tobytes(),
        "descriptors": found.descriptors.tobytes(),
        "thumbnail": encode_thumbnail(frame),
    }
