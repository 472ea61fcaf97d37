"""Reads one frame out of a photo's bytes with the decoder of its format, after its declared size was checked."""

import numpy as np

from foundation.photos.frame import Frame
from foundation.photos.header import declared_size
from foundation.photos.jpeg import Fit, read_jpeg
from foundation.photos.limits import PhotoLimits

_WEBP_BYTES_PER_PIXEL = 16  # measured; see the table in `foundation.photos.photo`


def read_frame(data: bytes, photo_format: str, limits: PhotoLimits, fit: Fit) -> Frame:
    """Returns the frame; only a JPEG comes smaller than it is stored, at least as large as `fit` asks for.

    Raises PhotoError for what is refused, and for broken bytes whatever the decoder raises.
    """
    if size := declared_size(data, photo_format):
        limits.check_size(*size)
        if photo_format == "WEBP":
            # Pillow reports too little memory for a WEBP in the words that it has for damage. Asking for as much first
            # raises MemoryError instead, and costs nothing: pages that nobody writes to are never handed out.
            np.empty(size[0] * size[1] * _WEBP_BYTES_PER_PIXEL, np.uint8)
    if photo_format == "JPEG":
        return read_jpeg(data, limits, fit)
    # Pillow and all its formats take a tenth of a second to load, and most photos are JPEGs.
    from foundation.photos.pillow import read_by_pillow

    return read_by_pillow(data, photo_format, limits)
