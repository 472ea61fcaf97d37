"""What a photo's bytes say before any pixel is decoded: format, declared size, and why a photo is refused.

The format is told by content, never by a file name's extension. Every refusal is a `PhotoError` of one
reason; `foundation.photos.photo` re-exports them all.
"""

import re
import struct
from dataclasses import dataclass

from PIL import Image

from foundation.errors import FirstseenError, UsageError


class PhotoError(FirstseenError):
    """A photo that cannot be used; `reason` is the word under which it is counted as a reject."""

    reason: str
    exit_code = 4


class EmptyPhotoError(PhotoError):
    """The file has no bytes."""

    reason = "empty_file"


class PhotoTooLargeError(PhotoError):
    """The file has more bytes than allowed."""

    reason = "too_large"


class NotAPhotoError(PhotoError):
    """The bytes begin like no image format: a web page, text, zeros, a film."""

    reason = "not_a_photo"


class UnsupportedFormatError(PhotoError):
    """An image, but of a format or a kind that is not decoded here."""

    reason = "unsupported_format"


class TooManyPixelsError(PhotoError):
    """The header declares more pixels than allowed: a decompression bomb, or a scan to be shrunk first."""

    reason = "too_many_pixels"


class ExtremeAspectError(PhotoError):
    """One side is so much longer than the other that a square of the whole frame would show nothing."""

    reason = "extreme_aspect"


class PhotoTooSmallError(PhotoError):
    """A side is zero, or too short to tell one photo from another."""

    reason = "too_small"


class TruncatedPhotoError(PhotoError):
    """The file ends early: a partial photo is a reject."""

    reason = "truncated"


class CorruptPhotoError(PhotoError):
    """The file is damaged: decoding fails, or would invent pixels."""

    reason = "corrupt"


REASONS = tuple(
    error.reason
    for error in (
        EmptyPhotoError,
        PhotoTooLargeError,
        NotAPhotoError,
        UnsupportedFormatError,
        TooManyPixelsError,
        ExtremeAspectError,
        PhotoTooSmallError,
        TruncatedPhotoError,
        CorruptPhotoError,
    )
)

# Pillow's own bomb guard warns above this; staying below keeps it as a second line that never speaks first.
_PILLOW_PIXELS = Image.MAX_IMAGE_PIXELS or 2**26


@dataclass(frozen=True)
class PhotoLimits:
    """What is refused before decoding: file bytes, declared pixels, long side over short side, short side."""

    max_bytes: int = 256 * 2**20
    max_pixels: int = 80_000_000
    max_aspect: float = 20
    min_side: int = 8

    def __post_init__(self):
        """Raise UsageError when a limit is outside its range."""
        _require("max_bytes", self.max_bytes, 1, 2**31 - 1)
        _require("max_pixels", self.max_pixels, 1, _PILLOW_PIXELS)
        _require("max_aspect", self.max_aspect, 1, 65_535)
        _require("min_side", self.min_side, 1, 65_535)

    def check_bytes(self, data: bytes) -> None:
        """Raise EmptyPhotoError or PhotoTooLargeError when the file's length is out of bounds."""
        if not data:
            raise EmptyPhotoError("received a file of 0 bytes, expected an image; fetch the photo again")
        if len(data) > self.max_bytes:
            raise PhotoTooLargeError(
                f"received {len(data)} bytes, expected at most {self.max_bytes}; "
                "save the photo smaller, or raise max_bytes"
            )

    def check_size(self, width: int, height: int) -> None:
        """Raise the typed error of the first limit that a frame of `width` x `height` pixels breaks."""
        received = f"received {width}x{height} pixels, expected"
        shrink = "shrink the photo"
        if width <= 0 or height <= 0:
            raise PhotoTooSmallError(f"{received} at least {self.min_side} a side; fetch the photo again")
        if width * height > self.max_pixels:
            raise TooManyPixelsError(f"{received} at most {self.max_pixels}; {shrink}, or raise max_pixels")
        if max(width, height) > self.max_aspect * min(width, height):
            raise ExtremeAspectError(
                f"{received} a long side of at most {self.max_aspect} short ones; crop it, or raise max_aspect"
            )
        if min(width, height) < self.min_side:
            raise PhotoTooSmallError(
                f"{received} at least {self.min_side} a side; find a larger copy, or lower min_side"
            )


def _require(name: str, value: float, low: int, high: int) -> None:
    if not low <= value <= high:
        raise UsageError(f"{name} is {value}, expected {low} to {high}; choose a value in this range")


def _signatures(table: dict[str, bytes]) -> dict[str, re.Pattern[bytes]]:
    return {name: re.compile(pattern, re.DOTALL) for name, pattern in table.items()}


# Canon's raw files are TIFFs but for a mark; an AVIF may call itself mif1 like a HEIF does, and then says
# `avif` only among its compatible brands.
_SUPPORTED = _signatures(
    {
        "JPEG": rb"\xff\xd8\xff",
        "PNG": rb"\x89PNG\r\n\x1a\n",
        "WEBP": rb"RIFF.{4}WEBP",
        "GIF": rb"GIF8[79]a",
        "BMP": rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0",
        "TIFF": rb"II[*+]\0(?!.{4}CR)|MM\0[*+]",
        "AVIF": rb".{4}ftyp(?:avi[fs]|(?:mif1|msf1).{4}(?:.{4}){0,10}?avi[fs])",
    }
)
_UNSUPPORTED = _signatures(
    {
        "HEIC/HEIF": rb".{4}ftyp(?:hei[cmsx]|hev[cmsx]|mif[12]|msf1)",
        "camera raw": rb"II\*\0.{4}CR|II(?:RO|RS|U\0)|MMOR|FUJIFILMCCD-RAW|FOVb|.{4}ftypcrx ",
        "PSD": rb"8BPS",
        "ICO": rb"\0\0[\x01\x02]\0[^\0]",
        "JPEG 2000": rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
        "JPEG XL": rb"\xff\x0a|\0\0\0\x0cJXL ",
        "JPEG XR": rb"II\xbc\x01",
        "SVG": rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?(?:<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]",
        "OpenEXR": rb"\x76\x2f\x31\x01",
        "DDS": rb"DDS ",
        "QOI": rb"qoif",
        "PNM": rb"P[1-7]\s",
        "XCF": rb"gimp xcf",
        "PDF": rb"%PDF-",
        "PostScript": rb"%!PS",
    }
)
FORMATS = tuple(_SUPPORTED)
_PROBE_BYTES = 1024


def sniff_format(data: bytes) -> str:
    """Return the format (one of `FORMATS`) that the first bytes name.

    Raises UnsupportedFormatError for another image format, NotAPhotoError for anything else.
    """
    start = data[:_PROBE_BYTES]
    for name, pattern in _SUPPORTED.items():
        if pattern.match(start):
            return name
    for name, pattern in _UNSUPPORTED.items():
        if pattern.match(start):
            raise unsupported(name)
    raise NotAPhotoError(
        f"received bytes that begin with {start[:8].hex(' ')}, expected {', '.join(FORMATS)}; "
        "look at what the address really returned"
    )


def unsupported(received: str) -> UnsupportedFormatError:
    """Return the error for an image of a kind that is not decoded, with the list of those that are."""
    return UnsupportedFormatError(
        f"received {received}, expected {', '.join(FORMATS)} of 8 or 16 bits; convert the photo to JPEG or PNG"
    )


def declared_size(data: bytes, photo_format: str) -> tuple[int, int] | None:
    """Return (width, height) as the first bytes declare it; None where only a parser can tell (TIFF, AVIF).

    WebP needs it most: its decoder allocates the whole canvas on opening. Raises TruncatedPhotoError when
    the file ends inside its header.
    """
    reader = _SIZE_READERS.get(photo_format)
    try:
        return reader(data) if reader else None
    except (struct.error, IndexError) as error:
        raise truncated(f"a {photo_format} header of {len(data)} bytes", "a whole header") from error


def truncated(received: str, expected: str) -> TruncatedPhotoError:
    """Return the error for a file that ends early."""
    return TruncatedPhotoError(f"received {received}, expected {expected}; fetch the photo again")


def corrupt(received: str) -> CorruptPhotoError:
    """Return the error for a damaged file."""
    return CorruptPhotoError(f"received damaged {received}, expected a sound file; fetch the photo again")


def _bmp_size(data: bytes) -> tuple[int, int]:
    if data[14] == 12:  # OS/2: 16-bit sides
        return struct.unpack_from("<HH", data, 18)
    width, height = struct.unpack_from("<ii", data, 18)
    return width, abs(height)  # a negative height means rows from top to bottom


def _webp_size(data: bytes) -> tuple[int, int] | None:
    if 8 + struct.unpack_from("<I", data, 4)[0] > len(data):
        raise truncated(f"{len(data)} bytes of WEBP", "as many as its RIFF header declares")
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


_SIZE_READERS = {
    "PNG": lambda data: struct.unpack_from(">II", data, 16),
    "GIF": lambda data: struct.unpack_from("<HH", data, 6),
    "BMP": _bmp_size,
    "WEBP": _webp_size,
}
