"""Decodes JPEGs with simplejpeg (libjpeg-turbo), shrunk while decoding, and strictly: no pixel is filled in."""

import re
from collections.abc import Callable

import numpy as np
import simplejpeg

from foundation.photos.frame import Frame
from foundation.photos.jpeg_header import JpegHeader, read_jpeg_header
from foundation.photos.jpeg_scan import is_whole
from foundation.photos.limits import PhotoLimits
from foundation.photos.metadata import orientation

Fit = Callable[[int, int], "tuple[int, int] | None"]

_LEFT_OVER = re.compile(r"(\d+) extraneous bytes before marker 0xd9")


def read_jpeg(data: bytes, limits: PhotoLimits, fit: Fit) -> Frame:
    """Returns the frame, at least as large as `fit(width, height)` asks for; at full size where that gives None.

    simplejpeg reads the file, or where it stumbles over the header what is left of the file without junk; Pillow reads
    what simplejpeg cannot though no pixel is damaged. Raises PhotoError, or ValueError for damage.
    """
    header = read_jpeg_header(data)
    limits.check_jpeg_size(header.width, header.height)
    shrink = _shrink_factor(header.width, header.height, fit(header.width, header.height))
    readable = data if _is_readable(data, header) else header.without_junk(data)
    pixels = _decode(readable, data, header, shrink) if _is_readable(readable, header) else None
    if pixels is None:
        from foundation.photos.pillow import read_by_pillow

        shrink, pixels = 1, read_by_pillow(header.without_junk(data), "JPEG", limits).pixels
    blocks = header.metadata_blocks()
    return Frame(pixels, header.width, header.height, orientation(blocks.exif), blocks, shrink)


def _is_readable(data: bytes, header: JpegHeader) -> bool:
    """Returns whether simplejpeg understands the header, and would decode the size that was checked."""
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        return False
    return (width, height) == (header.width, header.height)


def _decode(readable: bytes, data: bytes, header: JpegHeader, shrink: int) -> np.ndarray | None:
    """Returns the pixels, shrunk while decoding; None where simplejpeg stumbles over what is no damage."""
    least = {"min_height": -(-header.height // shrink), "min_width": -(-header.width // shrink)}
    try:
        return simplejpeg.decode_jpeg(readable, **least)
    except ValueError as error:
        if _is_harmless(str(error), data, header):
            return None
        raise


def _is_harmless(warning: str, data: bytes, header: JpegHeader) -> bool:
    """Returns whether libjpeg's warning leaves every pixel in place.

    It does for a camera's odd scan parameters, and for zeros or other bytes left over before the end marker unless
    the decoder left them over because it lost its way.
    """
    if "Invalid SOS parameters" in warning:
        return True
    left_over = _LEFT_OVER.search(warning)
    if not left_over:
        return False
    return bytes(int(left_over[1])) + b"\xff\xd9" in data or is_whole(data, header)


def _shrink_factor(width: int, height: int, target: tuple[int, int] | None) -> int:
    """Returns the largest of 8, 4, 2, 1 that leaves the frame at least as large as the target.

    libjpeg also scales by other eighths, but without SIMD: slower than decoding more pixels (measured at 3/8).
    """
    if not target:
        return 1
    return next((n for n in (8, 4, 2) if width >= n * target[0] and height >= n * target[1]), 1)
