"""Photo bytes to upright uint8 RGB: the only decoder of the project, for archives and for queries alike.

One path for both, so that the same bytes give the same pixels and scores do not drift. The header comes
first (`foundation.photos.header`): bombs are refused before anything is decoded.

What is decoded, and how:

- **Formats**, by content: JPEG (and MPO), PNG (and APNG), WEBP, GIF, BMP, TIFF, AVIF. Of an animation or a
  document, the first frame or page.
- **Orientation**: EXIF, all eight values, also in PNG and WEBP; TIFF's own tag; AVIF's irot and imir. XMP's copy
  of it is ignored, as by every viewer.
- **A partial photo is a reject** (`truncated`), and so is a damaged one (`corrupt`): half a photo that is grey
  below would match other grey halves.
- **CMYK and YCCK** JPEGs are read as Adobe writes them (inverted), like viewers do; CMYK becomes RGB by the plain
  formula R = (255 - C)(255 - K) / 255. No ICC profile is applied anywhere: copies lose their profiles, and both
  copies must look alike here.
- **16 bits** keep the high byte (Pillow's own conversion clips at 255 instead: white everywhere). 32-bit integers
  and floats have no stated white, and are refused.
- **Alpha**, in every guise, is composited over white before any resize. Palettes, 1 bit, YCbCr and LAB become RGB.
- **A square** of size N shows the whole frame, resized without regard to its aspect: a centre crop would hide
  what was done to the borders. Shrinking averages areas; enlarging is bilinear.
- **Grey** (channels=1) is Rec. 601 luma of the upright RGB pixels, 0.299 R + 0.587 G + 0.114 B.

Memory per declared pixel, measured: JPEG 3 bytes, PNG 10, a WEBP with alpha 22 (1.8 GB at the default limit).
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

from foundation.errors import UsageError
from foundation.photos.header import (
    FORMATS,
    REASONS,
    CorruptPhotoError,
    EmptyPhotoError,
    ExtremeAspectError,
    NotAPhotoError,
    PhotoError,
    PhotoLimits,
    PhotoTooLargeError,
    PhotoTooSmallError,
    TooManyPixelsError,
    TruncatedPhotoError,
    UnsupportedFormatError,
    corrupt,
    declared_size,
    sniff_format,
    truncated,
)
from foundation.photos.jpeg import JpegHeader, read_jpeg_header
from foundation.photos.metadata import PhotoMetadata, orientation, read_metadata
from foundation.photos.pillow import Frame, read_by_pillow

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

THUMBNAIL_QUALITY = 80

Fit = Callable[[int, int], "tuple[int, int] | None"]


@dataclass(frozen=True, eq=False)
class Photo:
    """One decoded photo: `pixels` uint8 [height, width, channels], or [size, size, channels] when resized.

    `width` and `height` are those of the upright photo in the file, whatever the size of `pixels`;
    `content_sha256` are the 32 bytes of the file's digest.
    """

    pixels: np.ndarray
    content_sha256: bytes
    width: int
    height: int
    format: str
    metadata: PhotoMetadata


def decode(
    data: bytes,
    *,
    size: int | None = None,
    channels: int = 3,
    limits: PhotoLimits = PhotoLimits(),  # noqa: B008 (frozen)
    with_metadata: bool = True,
) -> Photo:
    """Return the photo upright: at full resolution, or as a `size` x `size` square of the whole frame.

    Thread-safe. Raises PhotoError (of one of `REASONS`) for bytes that are no usable photo, whatever they are;
    UsageError for a size below 1 or channels other than 1 and 3.
    """
    if channels not in (1, 3) or (size is not None and size < 1):
        raise UsageError(f"received size={size}, channels={channels}; expected a size from 1, channels 1 or 3")
    photo_format, frame = _read(data, limits, lambda width, height: (size, size) if size else None)
    pixels = _upright(frame.pixels if size is None else _resize(frame, size, size), frame.orientation)
    turned = frame.orientation >= 5
    return Photo(
        pixels=_grey(pixels) if channels == 1 else np.ascontiguousarray(pixels),
        content_sha256=hashlib.sha256(data).digest(),
        width=frame.height if turned else frame.width,
        height=frame.width if turned else frame.height,
        format=photo_format,
        metadata=read_metadata(frame.blocks) if with_metadata else PhotoMetadata(),
    )


def thumbnail_jpeg(data: bytes, *, max_side: int) -> bytes:
    """Return the photo as a small upright JPEG, its long side at most `max_side`; never enlarged.

    Raises PhotoError like `decode`.
    """
    if max_side < 1:
        raise UsageError(f"received max_side={max_side}, expected at least 1; choose a number of pixels")

    def fit(width: int, height: int) -> tuple[int, int]:
        scale = min(1.0, max_side / max(width, height))
        return max(1, round(width * scale)), max(1, round(height * scale))

    _, frame = _read(data, PhotoLimits(), fit)
    small = _upright(_resize(frame, *fit(frame.width, frame.height)), frame.orientation)
    return simplejpeg.encode_jpeg(np.ascontiguousarray(small), quality=THUMBNAIL_QUALITY)


def _read(data: bytes, limits: PhotoLimits, fit: Fit) -> tuple[str, Frame]:
    """Return the format and the frame, decoded at least as large as `fit(width, height)` asks for."""
    limits.check_bytes(data)
    photo_format = sniff_format(data)
    with _typed_errors(photo_format, data):
        if size := declared_size(data, photo_format):
            limits.check_size(*size)
        if photo_format == "JPEG":
            return photo_format, _read_jpeg(data, limits, fit)
        return photo_format, read_by_pillow(data, photo_format, limits)


# The last bytes of a whole file; some programs append a few of their own.
_ENDINGS = {"PNG": b"IEND", "GIF": b"\x3b"}
_CUT = re.compile("truncated|premature end of", re.IGNORECASE)


@contextmanager
def _typed_errors(photo_format: str, data: bytes) -> Iterator[None]:
    """Turn whatever a decoder raises on hostile bytes, and they raise anything, into a PhotoError."""
    try:
        yield
    except PhotoError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooManyPixelsError(f"received a {photo_format} bomb: {error}; shrink the photo") from error
    except Exception as error:
        text = _one_line(error)
        if _is_cut(error, text, photo_format, data):
            raise truncated(f"{len(data)} bytes of {photo_format} ({text})", "a whole file") from error
        raise corrupt(f"{photo_format} ({text})") from error


def _one_line(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):  # its text holds a memory address, and nothing else
        return "unreadable header"
    return " ".join(str(error).split())[:160] or type(error).__name__


def _is_cut(error: Exception, text: str, photo_format: str, data: bytes) -> bool:
    if isinstance(error, UnidentifiedImageError):
        return _ENDINGS.get(photo_format, b"") not in data[-64:]
    return isinstance(error, EOFError) or bool(_CUT.search(text))


# --- JPEG: header and metadata from the segments, pixels from simplejpeg --------------------------------------

_PADDING = re.compile(r"(\d+) extraneous bytes before marker 0xd9")


def _read_jpeg(data: bytes, limits: PhotoLimits, fit: Fit) -> Frame:
    """Return the frame from the first that can: simplejpeg, simplejpeg without the junk, Pillow."""
    header = read_jpeg_header(data)
    limits.check_size(header.width, header.height)
    shrink = _shrink_factor(header.width, header.height, fit(header.width, header.height))
    pixels = _fast_jpeg(data, header, shrink)
    if pixels is None:
        sound = header.without_junk(data)
        pixels = _fast_jpeg(sound, header, shrink)
    if pixels is None:
        shrink, pixels = 1, read_by_pillow(sound, "JPEG", limits).pixels
    blocks = header.metadata_blocks()
    return Frame(pixels, header.width, header.height, orientation(blocks.exif), blocks, shrink)


def _fast_jpeg(data: bytes, header: JpegHeader, shrink: int) -> np.ndarray | None:
    """Return the pixels, shrunk while decoding; None where simplejpeg stumbles over what is no damage.

    Raises ValueError when a pixel is missing or damaged: simplejpeg is strict, where Pillow would fill in.
    """
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        return None
    if (width, height) != (header.width, header.height):  # the size that was checked must be the size decoded
        return None
    try:
        return simplejpeg.decode_jpeg(data, min_height=-(-height // shrink), min_width=-(-width // shrink))
    except ValueError as error:
        if _is_harmless(str(error), data):
            return None
        raise


def _is_harmless(warning: str, data: bytes) -> bool:
    """Return whether libjpeg's warning leaves every pixel in place: a camera's odd parameters, zeros at the end.

    Bytes other than zeros before the end marker are what a decoder has left over after it lost its way.
    """
    padding = _PADDING.search(warning)
    return "Invalid SOS parameters" in warning or bool(padding and bytes(int(padding[1])) + b"\xff\xd9" in data)


def _shrink_factor(width: int, height: int, target: tuple[int, int] | None) -> int:
    """Return the largest of 8, 4, 2, 1 that leaves the frame at least as large as the target.

    libjpeg also scales by other eighths, but without SIMD: slower than decoding more pixels (measured at 3/8).
    """
    if not target:
        return 1
    return next((n for n in (8, 4, 2) if width >= n * target[0] and height >= n * target[1]), 1)


# --- pixels ---------------------------------------------------------------------------------------------------

_TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels[::-1].swapaxes(0, 1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: pixels[:, ::-1].swapaxes(0, 1),
}


def _upright(pixels: np.ndarray, turn: int) -> np.ndarray:
    return _TURNS[turn](pixels)


def _resize(frame: Frame, width: int, height: int) -> np.ndarray:
    """Return the frame at exactly this size: first averaged down, then interpolated up.

    Two steps, because OpenCV falls back to bilinear sampling, and so aliases, when only one side shrinks.
    """
    if frame.shrink > 1:
        return _resize_shrunk(frame, width, height)
    smaller = min(width, frame.width), min(height, frame.height)
    pixels = cv2.resize(frame.pixels, smaller, interpolation=cv2.INTER_AREA)
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)


def _resize_shrunk(frame: Frame, width: int, height: int) -> np.ndarray:
    """Average a shrunk frame, which is never smaller than the target, over the exact extent of the photo.

    A frame of 1201 pixels shrunk 8 times comes as 151 pixels, of which 150.125 are photo. Resizing all 151 would
    stretch it: against a full decode to 64 pixels, 99 % of the errors lay below 47 grey levels, and now below 13.
    Given factors instead of a size, OpenCV weights the last pixel by its share, and may add one row and column.
    """
    x, y = width * frame.shrink / frame.width, height * frame.shrink / frame.height
    return cv2.resize(frame.pixels, None, fx=x, fy=y, interpolation=cv2.INTER_AREA)[:height, :width]


def _grey(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)[..., np.newaxis]
