"""`foundation.photos.decoder_errors`: too little memory is no damage, whichever library runs out of it."""

import cv2
import pytest

from foundation.photos import frame, jpeg, pillow, read
from foundation.photos.photo import decode, thumbnail_jpeg
from tests.foundation.photos.files import encoded
from tests.photos import scene

NO_MEMORY = cv2.error("OpenCV(5.0.0) alloc.cpp:66: error: (-4:Insufficient memory) Failed to allocate 99 bytes")
NO_MEMORY.code = cv2.Error.StsNoMem


def failing(error: Exception):
    """Returns a function that raises the error whatever it is called with."""

    def fail(*args, **options):
        raise error

    return fail


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        NO_MEMORY,
        OSError("out of memory error when reading image file"),  # Pillow's decoders
        ValueError("Insufficient memory (case 4)"),  # libjpeg
        ValueError("tj3Init(): Memory allocation failure"),  # libjpeg-turbo
    ],
)
@pytest.mark.parametrize("photo_format", ["JPEG", "PNG"])
def test_too_little_memory_is_no_damage(photo_format, error, monkeypatch):
    """Whoever runs out of memory while decoding, a MemoryError passes: the photo is sound and must not be a reject."""
    monkeypatch.setattr(jpeg.simplejpeg, "decode_jpeg", failing(error))
    monkeypatch.setattr(pillow, "_rgb", failing(error))
    for call in (lambda data: decode(data), lambda data: thumbnail_jpeg(data, max_side=9)):
        with pytest.raises(MemoryError):
            call(encoded(scene(1), photo_format))


def test_too_little_memory_to_resize(monkeypatch):
    """OpenCV running out of memory after the decoder is done is a MemoryError as well."""
    data = encoded(scene(1), "PNG")
    monkeypatch.setattr(frame.cv2, "resize", failing(NO_MEMORY))
    with pytest.raises(MemoryError, match="Insufficient memory"):
        decode(data, size=16)


def test_too_little_memory_for_a_webp(monkeypatch):
    """Pillow calls a WEBP damaged when memory is too small for it, so memory is asked for before."""
    data = encoded(scene(1), "WEBP")
    monkeypatch.setattr(read.np, "empty", failing(MemoryError()))
    monkeypatch.setattr(pillow, "read_by_pillow", lambda *args: pytest.fail("decoded"))
    with pytest.raises(MemoryError):
        decode(data)
