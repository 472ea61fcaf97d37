"""Makes of pixels what verification compares: a query as it is looked up, and a photo as the archive holds it."""

import numpy as np

from foundation.photos.compressed_features import compress
from foundation.photos.frame import grey
from foundation.photos.local_features import LONGEST_SIDE, extract
from foundation.photos.query_features import CLOSE_SIDE
from foundation.photos.thumbnail import encode_thumbnail, shrink_frame
from serving.match.evidence import QueryPhoto, StoredPhoto


def asked(pixels: np.ndarray) -> QueryPhoto:
    """Returns pixels, uint8 [height, width, 3], as a query."""
    return QueryPhoto.of(shrink_frame(pixels, max_side=CLOSE_SIDE), width=pixels.shape[1], height=pixels.shape[0])


def archived(pixels: np.ndarray) -> StoredPhoto:
    """Returns pixels, uint8 [height, width, 3], as the archive holds them."""
    frame = shrink_frame(pixels, max_side=LONGEST_SIDE)
    features = compress(extract(grey(frame)[..., 0]))
    return StoredPhoto(features, encode_thumbnail(frame), lambda: (pixels.shape[1], pixels.shape[0]))
