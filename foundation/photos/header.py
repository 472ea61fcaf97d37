"""Reads from a photo's first bytes, before any pixel is decoded, its format and the size that it declares.

The format is told by content, never by a file name's extension.
"""

import re
import struct

from foundation.photos.rejects import NotAPhotoError, UnsupportedFormatError, truncated


def _signatures(table: dict[str, bytes]) -> dict[str, re.Pattern[bytes]]:
    return {name: re.compile(pattern, re.DOTALL) for name, pattern in table.items()}


# Canon's raw files are TIFFs with a mark of their own after the header. An AVIF may call itself mif1, as a HEIF does;
# then only its list of compatible brands says `avif`.
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
# An SVG may begin with comments, and its first tag must be among the bytes looked at.
_PROBE_BYTES = 1024


def sniff_format(data: bytes) -> str:
    """Returns the format (one of `FORMATS`) that the first bytes name.

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
        "replace the file with the photo, or remove it"
    )


def unsupported(received: str) -> UnsupportedFormatError:
    """Returns the error for an image of a kind that is not decoded, with the list of those that are."""
    return UnsupportedFormatError(
        f"received {received}, expected {', '.join(FORMATS)} of 8 or 16 bits; convert the photo to JPEG or PNG"
    )


def declared_size(data: bytes, photo_format: str) -> tuple[int, int] | None:
    """Returns (width, height) as the first bytes declare it; None where only a parser can tell (TIFF, AVIF).

    WebP needs it most: its decoder allocates the whole canvas on opening. Raises TruncatedPhotoError when
    the file ends inside its header.
    """
    reader = _SIZE_READERS.get(photo_format)
    try:
        return reader(data) if reader else None
    except (struct.error, IndexError) as error:
        raise truncated(f"a {photo_format} header of {len(data)} bytes", "a whole header") from error


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
