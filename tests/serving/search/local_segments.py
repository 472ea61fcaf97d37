"""Makes pictures full of corners, and the local files of segments that hold them."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from foundation.photos.compressed_features import COMPRESSED, CompressedFeatures, compress
from foundation.photos.local_features import extract
from foundation.photos.local_features_bytes import pack_keypoints
from foundation.store.segments import (
    LOCAL,
    LOCAL_DESCRIPTORS,
    LOCAL_FRAMES,
    LOCAL_KEYPOINTS,
    LOCAL_STARTS,
    LOCAL_THUMBNAIL_STARTS,
    LOCAL_THUMBNAILS,
)

BLANK = np.full((60, 80), 128, np.uint8)


def picture(seed: int, *, width: int = 240, height: int = 180) -> np.ndarray:
    """Returns uint8 [height, width]: boxes and discs of random greys, no two pictures alike."""
    generator = np.random.default_rng(seed)
    pixels = np.full((height, width), 128, np.uint8)
    for _ in range(60):
        x, y, size, tone = (int(number) for number in generator.integers((0, 0, 6, 0), (width, height, 40, 256)))
        if generator.random() < 0.5:
            cv2.circle(pixels, (x, y), size // 2, tone, -1)
        else:
            angle = float(generator.uniform(0, 90))
            box = cv2.boxPoints(((x, y), (size, size * 0.6), angle)).astype(np.int32)
            cv2.fillPoly(pixels, [box], tone)
    return cv2.GaussianBlur(pixels, (0, 0), 0.8)


def features_of(pictures: Sequence[np.ndarray], *, most: int = 150) -> list[CompressedFeatures]:
    """Returns the features of each picture, as an archive keeps them."""
    return [compress(extract(pixels, most=most)) for pixels in pictures]


def write_local(segment: Path, photos: Sequence[CompressedFeatures], *, thumbnails: Sequence[bytes] = ()) -> Path:
    """Writes the local files of a segment, but for trees, and returns its directory."""
    (segment / LOCAL).mkdir(parents=True)
    thumbnails = thumbnails or [b""] * len(photos)
    np.save(segment / LOCAL_STARTS, np.cumsum([0, *map(len, photos)]))
    np.save(segment / LOCAL_FRAMES, np.array([(one.width, one.height) for one in photos], np.uint16))
    packed = [pack_keypoints(one.keypoints, width=one.width, height=one.height) for one in photos if len(one)]
    np.save(segment / LOCAL_KEYPOINTS, np.concatenate([np.empty((0, 4), np.uint16), *packed]))
    descriptors = [one.descriptors for one in photos]
    np.save(segment / LOCAL_DESCRIPTORS, np.concatenate([np.empty((0, COMPRESSED), np.int8), *descriptors]))
    np.save(segment / LOCAL_THUMBNAIL_STARTS, np.cumsum([0, *map(len, thumbnails)]))
    (segment / LOCAL_THUMBNAILS).write_bytes(b"".join(thumbnails))
    return segment
