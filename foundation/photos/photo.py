"""Decodes a photo's bytes to upright uint8 RGB: the only decoder of the project, for archives and queries alike.

One path for both, so that the same bytes give the same pixels and scores do not drift. The header comes
first (`foundation.photos.header`): bombs are refused before anything is decoded.

What is decoded, and how:

- **Formats**, by content: JPEG (and MPO), PNG (and APNG), WEBP, GIF, BMP, TIFF, AVIF. Of an animation or a
  document, the first frame or page.
- **Orientation**: EXIF, all eight values, also in PNG and WEBP; TIFF's own tag; AVIF's irot and imir. XMP's copy
  of it is ignored, as by every viewer.
- **A partial photo is a reject** (`truncated`), and so is a damaged one (`corrupt`): half a photo that is grey
  below would match other grey halves. Bytes left over after the last pixel are no damage (`jpeg_scan`).
- **CMYK and YCCK** JPEGs are read as Adobe writes them (inverted), like viewers do; CMYK becomes RGB by the plain
  formula R = (255 - C)(255 - K) / 255. No ICC profile is applied anywhere: copies lose their profiles, and both
  copies must look alike here.
- **16 bits** keep the high byte (Pillow's own conversion clips at 255 instead: white everywhere). 32-bit integers
  and floats have no stated white, and are refused.
- **Alpha**, in every guise, is composited over white before any resize. Palettes, 1 bit, YCbCr and LAB become RGB.
- **A square** of size N shows the whole frame, resized without regard to its aspect: a centre crop would hide
  what was done to the borders. Shrinking averages areas; enlarging is bilinear.
- **Grey** (channels=1) is Rec. 601 luma of the upright RGB pixels, 0.299 R + 0.587 G + 0.114 B.
- **A frame** beside the square shows the photo in its own aspect, for local features and thumbnails. Both come from one
  decode: a JPEG is then shrunk no further than the larger of them allows, and its square may differ by some grey levels
  from one that was decoded alone. Whoever compares squares makes all of them with a frame, or all without.

Peak memory of one decode beside the file's own bytes, measured at the limits of `PhotoLimits` (AVIF at 40 megapixels):

====================================  ===============  =================
format                                bytes per pixel  at the limit (GB)
====================================  ===============  =================
JPEG, baseline, to a square of 64     0.05             0.01
JPEG, baseline, full resolution       3                0.9
JPEG, progressive 4:2:0, square of 64 3                0.9
JPEG, progressive 4:2:0, full         6                1.8
JPEG, progressive 4:4:4, square of 64 6                1.8
JPEG, progressive 4:4:4, full         9                2.7
PNG and TIFF, with or without alpha   7                1.1
GIF                                   4                0.6
AVIF                                  10               1.4
WEBP, with or without alpha           16               2.4
====================================  ===============  =================

A progressive JPEG holds the coefficients of the whole frame until its last scan. An encode job decodes in as many
processes as the machine has cores: at worst, should every one meet a JPEG or a WEBP at the limit at once, it needs
2.4 GB a core. A photo of 24 megapixels costs at most 0.4 GB a core, and a baseline JPEG next to nothing.
`foundation.photos.decoder_processes` lets a process take what the worst line of the table needs, and no more.
"""

import hashlib
from dataclasses import dataclass
from functools import partial

import numpy as np

from foundation.errors import UsageError
from foundation.photos.decoder_errors import typed_errors
from foundation.photos.frame import Frame, grey, resize, upright
from foundation.photos.header import FORMATS, sniff_format
from foundation.photos.limits import PhotoLimits
from foundation.photos.local_features import frame_size
from foundation.photos.metadata import PhotoMetadata, read_metadata
from foundation.photos.read import read_frame
from foundation.photos.rejects import (
    REASONS,
    CorruptPhotoError,
    EmptyPhotoError,
    ExtremeAspectError,
    NotAPhotoError,
    PhotoError,
    PhotoTooLargeError,
    PhotoTooSmallError,
    TooManyPixelsError,
    TruncatedPhotoError,
    UnsupportedFormatError,
)
from foundation.photos.thumbnail import thumbnail_jpeg

__all__ = [
    "DECODE_RULE",
    "FORMATS",
    "REASONS",
    "CorruptPhotoError",
    "EmptyPhotoError",
    "ExtremeAspectError",
    "NotAPhotoError",
    "Photo",
    "PhotoError",
    "PhotoLimits",
    "PhotoMetadata",
    "PhotoTooLargeError",
    "PhotoTooSmallError",
    "TooManyPixelsError",
    "TruncatedPhotoError",
    "UnsupportedFormatError",
    "decode",
    "thumbnail_jpeg",
]

# Version of the decode rule, written into every artifact. Raise it whenever the pixels for the same bytes may
# change: another resize, shrink factor, alpha or CMYK policy, or a decoder library that rounds differently.
DECODE_RULE = 1


@dataclass(frozen=True, eq=False)
class Photo:
    """One decoded photo: `pixels` uint8 [height, width, channels], or [size, size, channels] when resized.

    `width` and `height` are those of the upright photo in the file, whatever the size of `pixels`;
    `content_sha256` are the 32 bytes of the file's digest. `frame` is the photo once more in its own aspect, uint8
    [height, width, 3], if it was asked for.
    """

    pixels: np.ndarray
    content_sha256: bytes
    width: int
    height: int
    format: str
    metadata: PhotoMetadata
    frame: np.ndarray | None = None


def decode(
    data: bytes,
    *,
    size: int | None = None,
    channels: int = 3,
    limits: PhotoLimits = PhotoLimits(),  # noqa: B008 (frozen)
    with_metadata: bool = True,
    frame_side: int | None = None,
    content_sha256: bytes | None = None,
) -> Photo:
    """Returns the photo upright: at full resolution, or as a `size` x `size` square of the whole frame.

    With `frame_side` its `frame` comes along, the longest side at most that many pixels, and never enlarged. Whoever
    has the digest of the bytes hands it in as `content_sha256`: making it takes 1 ms per megabyte.

    Thread-safe. Raises PhotoError (of one of `REASONS`) for bytes that are no usable photo, whatever they are;
    MemoryError where memory is too small for a sound one; UsageError for a size below 1 or channels other than 1 and 3.
    """
    if channels not in (1, 3) or (size is not None and size < 1) or (frame_side is not None and frame_side < 1):
        raise UsageError(
            f"received size={size}, frame_side={frame_side}, channels={channels}; expected sizes from 1, "
            "channels 1 or 3"
        )
    limits.check_bytes(data)
    photo_format = sniff_format(data)
    with typed_errors(photo_format, data):
        decoded = read_frame(data, photo_format, limits, partial(_least_size, size=size, frame_side=frame_side))
        pixels = upright(resize(decoded, size, size) if size else decoded.pixels, decoded.orientation)
        pixels = grey(pixels) if channels == 1 else pixels
        frame = _frame(decoded, frame_side) if frame_side else None
    width, height = decoded.upright_size
    return Photo(
        pixels=pixels,
        content_sha256=content_sha256 or hashlib.sha256(data).digest(),
        width=width,
        height=height,
        format=photo_format,
        metadata=read_metadata(decoded.blocks) if with_metadata else PhotoMetadata(),
        frame=frame,
    )


def _least_size(width: int, height: int, *, size: int | None, frame_side: int | None) -> tuple[int, int] | None:
    """Returns the size that a decoder may shrink a photo to; None for full resolution."""
    if size is None:
        return None
    frame = frame_size(width, height, longest_side=frame_side) if frame_side else (1, 1)
    return max(size, frame[0]), max(size, frame[1])


def _frame(decoded: Frame, side: int) -> np.ndarray:
    width, height = frame_size(decoded.width, decoded.height, longest_side=side)
    return upright(resize(decoded, width, height), decoded.orientation)
