"""Decodes every format but JPEG, and the odd JPEG, with Pillow: uint8 RGB under the policies of `photos.photo`."""

import ctypes
from io import BytesIO

import cv2
import numpy as np
from PIL import Image

from foundation.photos.frame import Frame
from foundation.photos.header import unsupported
from foundation.photos.limits import MOST_PIXELS, PhotoLimits
from foundation.photos.metadata import MetadataBlocks, orientation

# Plugins register themselves in Pillow on import, lazily and without a lock; decoder threads must not race for it, and
# those that import this module at the same time wait for one another.
Image.init()

# Pillow warns of bombs above this and refuses them at twice as many pixels. Our own limits come first, in the same
# words for every format; Pillow's stays behind them as a second line.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS


def _quiet_libtiff() -> None:
    """Keeps what libtiff says of odd TIFFs off the terminal: it prints from C, and the reject says it already.

    Its error handler belongs to the process and Pillow offers no way to it, but the symbol can be found among the
    libraries that Pillow's own is linked with. Where it cannot, the lines appear. Redirecting stderr around every TIFF
    would swallow what other threads print meanwhile.
    """
    handler = getattr(ctypes.CDLL(Image.core.__file__), "TIFFSetErrorHandler", None)
    if handler:
        handler.argtypes, handler.restype = [ctypes.c_void_p], ctypes.c_void_p
        handler(None)


_quiet_libtiff()

_BAND_PIXELS = 2**20  # some 15 MB of copies at a time
_REDUCED_RESOLUTION = 1  # bit of TIFF's NewSubfileType


def read_by_pillow(data: bytes, photo_format: str, limits: PhotoLimits) -> Frame:
    """Returns the first frame or page at full size.

    Raises PhotoError for what the limits or the policies refuse, and for broken bytes whatever Pillow raises.
    """
    with Image.open(BytesIO(data), formats=[photo_format]) as image:
        limits.check_size(*image.size)
        _refuse_preview(image)
        image.load()
        pixels = _rgb(image)
        blocks = MetadataBlocks.of_tiff(data) if photo_format == "TIFF" else _info_blocks(image.info)
    height, width = pixels.shape[:2]
    turn = 1 if photo_format == "TIFF" else orientation(blocks.exif)  # a TIFF is turned upright by Pillow
    return Frame(pixels, width, height, turn, blocks)


def _refuse_preview(image: Image.Image) -> None:
    """Raises for a TIFF whose first page is a preview: a camera's raw file (NEF, DNG, ARW), not a photo."""
    tags = getattr(image, "tag_v2", {})
    if tags.get(254, 0) & _REDUCED_RESOLUTION:
        raise unsupported("a TIFF that begins with a preview (camera raw)")


def _rgb(image: Image.Image) -> np.ndarray:
    """Returns uint8 [height, width, 3] under the policies of `foundation.photos.photo`.

    Band by band: each step of the conversion makes a copy, and copies of the whole photo doubled the peak of memory.
    """
    if image.mode in ("I", "F"):
        raise unsupported(f"a {image.format} of 32-bit integers or floats")
    if image.mode.startswith("I;16"):
        return cv2.cvtColor(_high_byte(image), cv2.COLOR_GRAY2RGB)
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    rows = max(1, _BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        pixels[top : top + rows] = _band_rgb(band)
    return pixels


def _band_rgb(band: Image.Image) -> np.ndarray:
    if band.has_transparency_data:
        rgba = band if band.mode == "RGBA" else band.convert("RGBA")
        band = Image.new("RGB", rgba.size, "white")
        band.paste(rgba, mask=rgba)
    return np.asarray(band if band.mode == "RGB" else band.convert("RGB"))


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
    """Returns a block that ImageMagick wrote into a PNG as text: a name, a length, hexadecimal digits."""
    lines = str(info.get(f"Raw profile type {name}", "")).split("\n")
    try:
        return bytes.fromhex("".join(lines[3:]))
    except ValueError:
        return b""
