"""Turns whatever a decoder raises on hostile bytes, and decoders raise anything, into a reject or a MemoryError."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

from foundation.photos.rejects import PhotoError, TooManyPixelsError, corrupt, truncated

# A file that ends with these bytes is whole, even where Pillow cannot read its header. Some programs append a few
# bytes of their own, so the ending is looked for among the last 64.
_ENDINGS = {"PNG": b"IEND", "GIF": b"\x3b"}
_CUT = re.compile("truncated|premature end of", re.IGNORECASE)
# In the words of libjpeg and OpenCV, of Pillow's decoders and of libjpeg-turbo.
_NO_MEMORY = re.compile("insufficient memory|out of memory|memory allocation failure", re.IGNORECASE)


@contextmanager
def typed_errors(photo_format: str, data: bytes) -> Iterator[None]:
    """Raises PhotoError for a photo that cannot be decoded, MemoryError when memory is too small for a sound one.

    Too little memory is no damage: the same photo decodes elsewhere, so it must not be counted as damaged.
    """
    try:
        yield
    except (PhotoError, MemoryError):
        raise
    except Exception as error:
        # Pillow is loaded for these names alone where it did not decode, and most photos are JPEGs that it never sees.
        from PIL import Image

        if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
            raise TooManyPixelsError(f"received a {photo_format} bomb: {error}; shrink the photo") from error
        text = _one_line(error)
        if _is_out_of_memory(error, text):
            raise MemoryError(f"decoding {len(data):,} bytes of {photo_format}: {text}") from error
        if _is_cut(error, text, photo_format, data):
            raise truncated(f"{len(data):,} bytes of {photo_format} ({text})", "a whole file") from error
        raise corrupt(f"{photo_format} ({text})") from error


def _one_line(error: Exception) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):  # its text holds a memory address, and nothing else
        return "unreadable header"
    return " ".join(str(error).split())[:160] or type(error).__name__


def _is_out_of_memory(error: Exception, text: str) -> bool:
    return getattr(error, "code", None) == cv2.Error.StsNoMem or bool(_NO_MEMORY.search(text))


def _is_cut(error: Exception, text: str, photo_format: str, data: bytes) -> bool:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return _ENDINGS.get(photo_format, b"") not in data[-64:]
    return isinstance(error, EOFError) or bool(_CUT.search(text))
