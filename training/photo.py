"""Photo bytes to upright uint8 RGB: the only decoder of the project, for archives and for queries alike.

One path for both, so that the same bytes give the same pixels and scores do not drift. The header comes
first (`training.photo_header`): bombs are refused before anything is decoded.

What is decoded, and how:

- **Formats**, by content: JPEG (and MPO), PNG (and APNG), WEBP, GIF, BMP, TIFF, AVIF. Of an animation or a
  document, the first frame or page.
- **Orientation**: EXIF, all eight values, also in PNG and WEBP; TIFF's own tag; AVIF's irot and imir. XMP's copy
  of it is ignored, as by every viewer.
- **A partial photo is a reject** (`truncated`), and so is a damaged one (`corrupt`): half a photo that is grey
  below would match other grey halves.
- **CMYK and YCCK** JPEGs are read as Adobe writes them (inverted), then converted by Pillow's plain formula.
  No ICC profile is applied anywhere: copies lose their profiles, and both copies must look alike here.
- **16 bits** keep the high byte (Pillow's own conversion clips at 255 instead: white everywhere). 32-bit integers
  and floats have no stated white, and are refused.
- **Alpha**, in every guise, is composited over white before any resize. Palettes, 1 bit, YCbCr and LAB become RGB.
- **A square** of size N shows the whole frame, resized without regard to its aspect: a centre crop would hide
  what was done to the borders. Shrinking averages areas; enlarging is bilinear.
- **Grey** (channels=1) is Rec. 601 luma of the upright RGB pixels, 0.299 R + 0.587 G + 0.114 B.

Memory: at most about 11 bytes per declared pixel at once, so 0.9 GB at the default limit.
"""

import hashlib
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

import cv2
import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

from training.errors import UsageError
from training.photo_header import (
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
    declared_size,
    sniff_format,
    truncated,
    unsupported,
)
from training.photo_metadata import MetadataBlocks, PhotoMetadata, orientation, read_metadata

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

# Plugins register themselves in Pillow on import, lazily and without a lock; decoder threads must not race for it.
Image.init()

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


@dataclass(frozen=True, eq=False)
class _Frame:
    """A photo as its file stores it, before it is turned upright; `pixels` may be shrunk already."""

    pixels: np.ndarray
    width: int
    height: int
    orientation: int
    blocks: MetadataBlocks


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
    photo_format, frame = _read(data, limits, lambda width, height: size and (size, size))
    pixels = _upright(frame.pixels if size is None else _resize(frame.pixels, size, size), frame.orientation)
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
    small = _upright(_resize(frame.pixels, *fit(frame.width, frame.height)), frame.orientation)
    return simplejpeg.encode_jpeg(np.ascontiguousarray(small), quality=THUMBNAIL_QUALITY)


def _read(data: bytes, limits: PhotoLimits, fit: Fit) -> tuple[str, _Frame]:
    """Return the format and the frame, decoded at least as large as `fit(width, height)` asks for."""
    limits.check_bytes(data)
    photo_format = sniff_format(data)
    with _typed_errors(photo_format, data):
        if size := declared_size(data, photo_format):
            limits.check_size(*size)
        if photo_format == "JPEG":
            return photo_format, _read_jpeg(data, limits, fit)
        return photo_format, _read_by_pillow(data, photo_format, limits)


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
        raise _corrupt(f"{photo_format} ({text})") from error


def _one_line(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):  # its text holds a memory address, and nothing else
        return "unreadable header"
    return " ".join(str(error).split())[:160] or type(error).__name__


def _is_cut(error: Exception, text: str, photo_format: str, data: bytes) -> bool:
    if isinstance(error, UnidentifiedImageError):
        return _ENDINGS.get(photo_format, b"") not in data[-64:]
    return isinstance(error, EOFError) or bool(_CUT.search(text))


def _corrupt(received: str) -> CorruptPhotoError:
    return CorruptPhotoError(f"received damaged {received}, expected a sound file; fetch the photo again")


# --- JPEG: header and metadata from the segments, pixels from simplejpeg --------------------------------------

_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_DECODED_FRAMES = frozenset((0xC0, 0xC1, 0xC2, 0xC9, 0xCA))  # not the lossless nor the hierarchical ones
_HUFFMAN_SEQUENTIAL = frozenset((0xC0, 0xC1))
_START_OF_SCAN, _END_OF_IMAGE, _APP0, _APP1, _APP13, _APP14 = 0xDA, 0xD9, 0xE0, 0xE1, 0xED, 0xEE
_COMMENT = 0xFE

# A progressive scan over 80 megapixels fits in 100 bytes and costs 10 ms: without a limit, one file of some
# megabytes decodes for hours. Real encoders write about ten.
_MAX_SCANS = 500

# Warnings of libjpeg that leave every pixel in place: padding before the end, a camera's odd scan parameters.
_HARMLESS = re.compile("extraneous bytes before marker 0xd9|Invalid SOS parameters", re.IGNORECASE)


@dataclass(frozen=True)
class _JpegHeader:
    """The segments (marker, payload) before the first scan, the frame's marker and the scan's offset."""

    segments: list[tuple[int, bytes]]
    frame: int
    scan: int


def _read_jpeg(data: bytes, limits: PhotoLimits, fit: Fit) -> _Frame:
    header = _jpeg_header(data)
    blocks = _jpeg_blocks(header)
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        # Junk between segments, a bad ICC marker: cameras and editors write both, and viewers show the photo.
        data = _without_junk(data, header)
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    limits.check_size(width, height)
    if colours in ("CMYK", "YCCK"):
        pixels = _read_by_pillow(_without_junk(data, header), "JPEG", limits).pixels
    else:
        pixels = _jpeg_pixels(data, header, width, height, limits, fit(width, height))
    return _Frame(pixels, width, height, orientation(blocks.exif), blocks)


def _jpeg_pixels(data, header, width, height, limits, target) -> np.ndarray:
    factor = _shrink_factor(width, height, target)
    try:
        return simplejpeg.decode_jpeg(data, min_height=-(-height // factor), min_width=-(-width // factor))
    except ValueError as error:
        if not _HARMLESS.search(str(error)):
            raise
    return _read_by_pillow(_without_junk(data, header), "JPEG", limits).pixels


def _shrink_factor(width: int, height: int, target: tuple[int, int] | None) -> int:
    """Return the largest of 8, 4, 2, 1 that leaves the frame at least as large as the target.

    libjpeg also scales by other eighths, but without SIMD: slower than decoding more pixels (measured at 3/8).
    """
    if not target:
        return 1
    return next(n for n in (8, 4, 2, 1) if n == 1 or (width >= n * target[0] and height >= n * target[1]))


def _jpeg_header(data: bytes) -> _JpegHeader:
    """Return the header of a JPEG that is decoded here; UnsupportedFormatError for its rare relatives."""
    segments, frame, position = [], 0, 2
    while True:
        marker, position = _next_marker(data, position)
        if marker == _START_OF_SCAN and frame:
            break
        payload = _segment(data, position)
        segments.append((marker, payload))
        position += 2 + len(payload)
        if marker in _START_OF_FRAME:
            frame = marker
            _check_frame(marker, payload)
    header = _JpegHeader(segments, frame, position - 2)
    if frame not in _HUFFMAN_SEQUENTIAL and data.count(b"\xff\xda", header.scan) > _MAX_SCANS:
        raise _corrupt(f"JPEG (more than {_MAX_SCANS} scans)")
    return header


def _next_marker(data: bytes, position: int) -> tuple[int, int]:
    """Return the next marker that has a payload, and the payload's offset; junk and padding are skipped."""
    if position >= len(data):
        raise truncated(f"{len(data)} bytes of JPEG that end in the header", "a whole file")
    while (position := data.find(b"\xff", position)) >= 0 and position + 1 < len(data):
        marker = data[position + 1]
        if marker == _END_OF_IMAGE:
            break
        if marker >= 0xC0 and marker != 0xFF and not 0xD0 <= marker <= 0xD8:
            return marker, position + 2
        position += 1 if marker == 0xFF else 2
    raise _corrupt("JPEG (a header without an image)")


def _segment(data: bytes, position: int) -> bytes:
    (length,) = struct.unpack_from(">H", data, position)
    if position + length > len(data):
        raise truncated(f"{len(data)} bytes of JPEG that end in the header", "a whole file")
    if length < 2:
        raise _corrupt("JPEG (a segment of negative length)")
    return data[position + 2 : position + length]


def _check_frame(marker: int, payload: bytes) -> None:
    if len(payload) < 6:
        raise _corrupt("JPEG (a frame header too short)")
    if payload[0] != 8 or marker not in _DECODED_FRAMES or payload[5] not in (1, 3, 4):
        raise unsupported(f"a JPEG of {payload[0]} bits, {payload[5]} components, frame {marker:#x}")


def _without_junk(data: bytes, header: _JpegHeader) -> bytes:
    """Return the same image with only what decodes it: no junk, ICC, EXIF or comments, but Adobe's colour mark."""
    kept = [b"\xff\xd8"]
    for marker, payload in header.segments:
        is_note = _APP0 < marker <= 0xEF or marker >= 0xF0
        if marker == _APP14 or not is_note:
            kept += [bytes((0xFF, marker)), struct.pack(">H", len(payload) + 2), payload]
    return b"".join((*kept, data[header.scan :]))


_EXIF, _XMP, _PHOTOSHOP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0"


def _jpeg_blocks(header: _JpegHeader) -> MetadataBlocks:
    """Return the first EXIF and XMP segments and all Photoshop ones, which are split at 64 KB."""

    def payloads(wanted: int, prefix: bytes) -> list[bytes]:
        return [
            payload[len(prefix) :]
            for marker, payload in header.segments
            if marker == wanted and payload.startswith(prefix)
        ]

    exif, xmp = payloads(_APP1, _EXIF), payloads(_APP1, _XMP)
    return MetadataBlocks(exif[0] if exif else b"", b"".join(payloads(_APP13, _PHOTOSHOP)), xmp[0] if xmp else b"")


# --- every other format, and the odd JPEG, by Pillow ----------------------------------------------------------

_REDUCED_RESOLUTION = 1  # bit of TIFF's NewSubfileType


def _read_by_pillow(data: bytes, photo_format: str, limits: PhotoLimits) -> _Frame:
    with Image.open(BytesIO(data), formats=[photo_format]) as image:
        limits.check_size(*image.size)
        _refuse_preview(image)
        image.load()
        pixels = _rgb(image)
        if photo_format == "TIFF":  # Pillow has turned it upright
            return _Frame(pixels, *image.size, 1, MetadataBlocks.of_tiff(data))
        blocks = _info_blocks(image.info)
        return _Frame(pixels, *image.size, orientation(blocks.exif), blocks)


def _refuse_preview(image: Image.Image) -> None:
    """Raise for a TIFF whose first page is a preview: a camera's raw file (NEF, DNG, ARW), not a photo."""
    tags = getattr(image, "tag_v2", {})
    if tags.get(254, 0) & _REDUCED_RESOLUTION:
        raise unsupported("a TIFF that begins with a preview (camera raw)")


def _rgb(image: Image.Image) -> np.ndarray:
    """Return uint8 [height, width, 3] under the policies of this module."""
    if image.mode in ("I", "F"):
        raise unsupported(f"a {image.format} of 32-bit integers or floats")
    if image.mode.startswith("I;16"):
        return cv2.cvtColor(_high_byte(image), cv2.COLOR_GRAY2RGB)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.new("RGB", rgba.size, "white")
        image.paste(rgba, mask=rgba)
    return np.asarray(image.convert("RGB"))


def _high_byte(image: Image.Image) -> np.ndarray:
    bits = getattr(image, "tag_v2", {}).get(258, (16,))[0]  # TIFF also knows 12 bits
    return (np.asarray(image) >> (bits - 8)).astype(np.uint8)


def _info_blocks(info: dict) -> MetadataBlocks:
    xmp = info.get("xmp", b"")
    return MetadataBlocks(
        exif=info.get("exif") or _raw_profile(info, "exif") or _raw_profile(info, "APP1"),
        iptc=_raw_profile(info, "iptc"),
        xmp=xmp if isinstance(xmp, bytes) else b"",
    )


def _raw_profile(info: dict, name: str) -> bytes:
    """Return a block that ImageMagick wrote into a PNG as text: a name, a length, hexadecimal digits."""
    lines = str(info.get(f"Raw profile type {name}", "")).split("\n")
    try:
        return bytes.fromhex("".join(lines[3:]))
    except ValueError:
        return b""


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


def _resize(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return the pixels at exactly this size: first averaged down, then interpolated up.

    Two steps, because OpenCV falls back to bilinear sampling, and so aliases, when only one side shrinks.
    """
    shrunk = min(width, pixels.shape[1]), min(height, pixels.shape[0])
    pixels = cv2.resize(pixels, shrunk, interpolation=cv2.INTER_AREA)
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)


def _grey(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)[..., np.newaxis]
