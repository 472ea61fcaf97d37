"""Makes small upright JPEGs of photos, for pages of matches and for comparing pixels with a query's."""

import cv2
import numpy as np
import simplejpeg

from foundation.checks import require_range
from foundation.errors import ArtifactRefusedError
from foundation.photos.decoder_errors import typed_errors
from foundation.photos.frame import resize, upright
from foundation.photos.header import sniff_format
from foundation.photos.limits import PhotoLimits
from foundation.photos.local_features import frame_size
from foundation.photos.read import read_frame

THUMBNAIL_QUALITY = 80
# Of what is stored beside local features: large enough to compare blocks of pixels, some 8 KB of JPEG.
THUMBNAIL_SIDE = 256


def thumbnail_jpeg(data: bytes, *, max_side: int) -> bytes:
    """Returns the photo as a small upright JPEG, its long side at most `max_side` pixels; never enlarged.

    Raises PhotoError and MemoryError like `photo.decode`, UsageError for a side below 1.
    """
    require_range("max_side", max_side, 1)
    limits = PhotoLimits()
    limits.check_bytes(data)
    photo_format = sniff_format(data)

    def fit(width: int, height: int) -> tuple[int, int]:
        return frame_size(width, height, longest_side=max_side)

    with typed_errors(photo_format, data):
        frame = read_frame(data, photo_format, limits, fit)
        small = upright(resize(frame, *fit(frame.width, frame.height)), frame.orientation)
        return simplejpeg.encode_jpeg(small, quality=THUMBNAIL_QUALITY)


def shrink_frame(frame: np.ndarray, *, max_side: int) -> np.ndarray:
    """Returns an upright photo's pixels, in colour or grey, with a long side of at most `max_side` pixels."""
    height, width = frame.shape[:2]
    return cv2.resize(frame, frame_size(width, height, longest_side=max_side), interpolation=cv2.INTER_AREA)


def encode_thumbnail(frame: np.ndarray) -> bytes:
    """Returns the thumbnail that an archive keeps of an upright photo, uint8 [height, width, 3]: JPEG, without EXIF."""
    small = np.ascontiguousarray(shrink_frame(frame, max_side=THUMBNAIL_SIDE))
    # Colour at half the resolution takes a third off the size, and pixels are compared by their brightness.
    return simplejpeg.encode_jpeg(small, quality=THUMBNAIL_QUALITY, colorsubsampling="420")


def decode_thumbnail(thumbnail: bytes) -> np.ndarray:
    """Returns the pixels of a thumbnail that `encode_thumbnail` made: uint8 [height, width, 3].

    Raises ArtifactRefusedError for damaged bytes.
    """
    try:
        return simplejpeg.decode_jpeg(thumbnail, colorspace="RGB")
    except ValueError as error:
        raise ArtifactRefusedError(
            f"a thumbnail in the index cannot be decoded ({error}); expected a JPEG: encode and index its archive again"
        ) from error
