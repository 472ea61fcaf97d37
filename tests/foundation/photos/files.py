"""Makes image files of every format for the tests of the decoder, and compares what comes out."""

import io

import numpy as np
import pytest
from PIL import Image

from foundation.photos.photo import PhotoError, decode

LOSSLESS = {"PNG": {}, "TIFF": {}, "WEBP": {"lossless": True, "exact": True}, "BMP": {}}
LOSSY = {"JPEG": {"quality": 95, "subsampling": 0}, "AVIF": {"quality": 95, "subsampling": "4:4:4"}}
ANYTHING = LOSSLESS | LOSSY | {"GIF": {}}

# How a file stores an upright photo under each EXIF orientation: the inverse of what a viewer does.
STORED_AS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def encoded(image: Image.Image | np.ndarray, photo_format: str, **options) -> bytes:
    """Returns the image as a file of this format, without loss where the format can."""
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, photo_format, **(ANYTHING.get(photo_format, {}) | options))
    return file.getvalue()


def oriented(pixels: np.ndarray, orientation: int, photo_format: str) -> bytes:
    """Returns a file that stores the upright pixels turned, and says how in its orientation tag."""
    image = Image.fromarray(pixels)
    turn = STORED_AS[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image if turn is None else image.transpose(turn), photo_format, exif=exif)


def difference(received: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Returns the absolute difference in grey levels."""
    assert received.shape == expected.shape
    return np.abs(received.astype(int) - expected.astype(int))


def reason_of(data: bytes, **options) -> str:
    """Returns the reason for which the bytes are refused."""
    with pytest.raises(PhotoError) as caught:
        decode(data, **options)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 4
    return caught.value.reason


def outcome(data: bytes, **options) -> str:
    """Returns "photo", or the reason for which the bytes are refused."""
    try:
        result = decode(data, **options)
    except PhotoError as error:
        return error.reason
    assert result.pixels.dtype == np.uint8
    return "photo"
