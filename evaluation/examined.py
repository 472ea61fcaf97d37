"""Makes of pixels what verification compares: a query as it is looked up, and a photo as the archive holds it."""

import cv2
import numpy as np

from foundation.photos.local_features import ARCHIVE_FEATURES, compress, extract, frame_size
from serving.match.evidence import Features, QueryPhoto, StoredPhoto

# Queries are seen larger than the archive's photos: what is looked for may be a small part of them.
QUERY_FRAME, QUERY_FEATURES, QUERY_PICTURE = 600, 500, 800
LEAST_QUERY_SIDE = 300
THUMBNAIL, QUALITY = 256, 85


def asked(pixels: np.ndarray) -> QueryPhoto:
    """Returns pixels, uint8 [height, width, 3], as a query."""
    height, width = pixels.shape[:2]
    share = max(1.0, LEAST_QUERY_SIDE / max(height, width))
    enlarged = pixels if share == 1 else cv2.resize(pixels, None, fx=share, fy=share, interpolation=cv2.INTER_CUBIC)
    features = extract(_grey(_reduced(enlarged, QUERY_FRAME)), most=QUERY_FEATURES)
    return QueryPhoto(width, height, features, _reduced(pixels, QUERY_PICTURE))


def archived(pixels: np.ndarray) -> StoredPhoto:
    """Returns pixels, uint8 [height, width, 3], as the archive holds them."""
    height, width = pixels.shape[:2]
    features = extract(_grey(_reduced(pixels, 400)), most=ARCHIVE_FEATURES)
    kept = Features(features.width, features.height, features.keypoints, compress(features.descriptors))
    coded = cv2.imencode(".jpg", _reduced(pixels, THUMBNAIL), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return StoredPhoto(width, height, kept, np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8))


def _reduced(pixels: np.ndarray, longest: int) -> np.ndarray:
    size = frame_size(pixels.shape[1], pixels.shape[0], longest_side=longest)
    return pixels if size == pixels.shape[1::-1] else cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def _grey(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
