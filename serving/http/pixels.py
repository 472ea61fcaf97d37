"""Refuses query photos of more pixels than the service takes: in the process that decodes them, before it does."""

import io

import simplejpeg
from PIL import Image

from foundation.photos.header import declared_size, sniff_format
from foundation.photos.rejects import TooManyPixelsError


def bounded(data: bytes, most_pixels: int) -> bytes:
    """Returns the bytes of a photo; raises TooManyPixelsError if its header declares more pixels.

    What cannot be read as a photo is returned as well: the decoder says what is wrong with it.
    """
    width, height = _size(data)
    if width * height > most_pixels:
        raise TooManyPixelsError(
            f"received {width}x{height} pixels, expected at most {most_pixels:,} in all; shrink the photo"
        )
    return data


def _size(data: bytes) -> tuple[int, int]:
    try:
        photo_format = sniff_format(data)
        if size := declared_size(data, photo_format):
            return size
        if photo_format == "JPEG":
            height, width, *_ = simplejpeg.decode_jpeg_header(data)
            return width, height
        with Image.open(io.BytesIO(data)) as image:
            return image.size
    except Exception:  # parsers of damaged files raise whatever they like, and the decoder judges it
        return 0, 0
