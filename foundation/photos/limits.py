"""Bounds what is decoded: bytes of the file, and pixels, aspect and sides as its header declares them.

Pixels are limited by memory, which `foundation.photos.photo` states: a JPEG needs least, since it is shrunk while it is
decoded, and may declare twice as many pixels as the other formats.
"""

from dataclasses import dataclass

from foundation.checks import require_range
from foundation.photos.rejects import (
    EmptyPhotoError,
    ExtremeAspectError,
    PhotoTooLargeError,
    PhotoTooSmallError,
    TooManyPixelsError,
)

MOST_PIXELS = 300_000_000

# Encoders see the whole frame as a square, of 64 pixels a side and more. At an aspect of 64, each column is the mean of
# a stretch as long as the strip is high: too little of the content is left to tell one strip from another.
MOST_ASPECT = 50


@dataclass(frozen=True)
class PhotoLimits:
    """What is refused before decoding.

    `max_bytes` of the file; `max_jpeg_pixels` of a JPEG and `max_pixels` of any other format; `max_aspect`, the long
    side over the short one; `min_side`, the short side in pixels. Raises UsageError for a limit outside its range.
    """

    max_bytes: int = 256 * 2**20
    max_pixels: int = 150_000_000
    max_jpeg_pixels: int = MOST_PIXELS
    max_aspect: float = MOST_ASPECT
    min_side: int = 8

    def __post_init__(self):
        require_range("max_bytes", self.max_bytes, 1, 2**31 - 1)
        require_range("max_pixels", self.max_pixels, 1, MOST_PIXELS)
        require_range("max_jpeg_pixels", self.max_jpeg_pixels, 1, MOST_PIXELS)
        require_range("max_aspect", self.max_aspect, 1, 65_535)
        require_range("min_side", self.min_side, 1, 65_535)

    def check_bytes(self, data: bytes) -> None:
        """Raises EmptyPhotoError or PhotoTooLargeError when the file's length is out of bounds."""
        if not data:
            raise EmptyPhotoError("received a file of 0 bytes, expected an image; replace it with a whole copy")
        if len(data) > self.max_bytes:
            raise PhotoTooLargeError(
                f"received {len(data):,} bytes, expected at most {self.max_bytes:,}; "
                "shrink the photo, or save it as JPEG"
            )

    def check_jpeg_size(self, width: int, height: int) -> None:
        """Raises like `check_size`, for a JPEG that libjpeg shrinks while it decodes."""
        self._check(width, height, self.max_jpeg_pixels)

    def check_size(self, width: int, height: int) -> None:
        """Raises the typed error of the first limit that a frame of `width` x `height` pixels breaks."""
        self._check(width, height, self.max_pixels)

    def _check(self, width: int, height: int, max_pixels: int) -> None:
        received = f"received {width}x{height} pixels, expected"
        if width <= 0 or height <= 0:
            raise PhotoTooSmallError(f"{received} at least {self.min_side} a side; replace it with a sound copy")
        if width * height > max_pixels:
            raise TooManyPixelsError(f"{received} at most {max_pixels:,} in all; shrink the photo")
        if max(width, height) > self.max_aspect * min(width, height):
            raise ExtremeAspectError(f"{received} a long side of at most {self.max_aspect} short ones; crop the photo")
        if min(width, height) < self.min_side:
            raise PhotoTooSmallError(f"{received} at least {self.min_side} a side; use a larger copy of the photo")
