"""Makes small upright JPEGs of photos, for pages of matches."""

import simplejpeg

from foundation.checks import require_range
from foundation.photos.decoder_errors import typed_errors
from foundation.photos.frame import resize, upright
from foundation.photos.header import sniff_format
from foundation.photos.limits import PhotoLimits
from foundation.photos.read import read_frame

THUMBNAIL_QUALITY = 80


def thumbnail_jpeg(data: bytes, *, max_side: int) -> bytes:
    """Returns the photo as a small upright JPEG, its long side at most `max_side` pixels; never enlarged.

    Raises PhotoError and MemoryError like `photo.decode`, UsageError for a side below 1.
    """
    require_range("max_side", max_side, 1)
    limits = PhotoLimits()
    limits.check_bytes(data)
    photo_format = sniff_format(data)

    def fit(width: int, height: int) -> tuple[int, int]:
        scale = min(1.0, max_side / max(width, height))
        return max(1, round(width * scale)), max(1, round(height * scale))

    with typed_errors(photo_format, data):
        frame = read_frame(data, photo_format, limits, fit)
        small = upright(resize(frame, *fit(frame.width, frame.height)), frame.orientation)
        return simplejpeg.encode_jpeg(small, quality=THUMBNAIL_QUALITY)
