"""`foundation.photos.thumbnail`: small upright JPEGs that keep the aspect."""

import io

import cv2
import pytest
from PIL import Image

from foundation.errors import ArtifactRefusedError, UsageError
from foundation.photos.photo import decode, thumbnail_jpeg
from foundation.photos.thumbnail import THUMBNAIL_SIDE, decode_thumbnail, encode_thumbnail, shrink_frame
from tests.foundation.photos.files import difference, encoded, oriented
from tests.photos import scene


@pytest.mark.parametrize("photo_format", ["JPEG", "PNG"])
def test_a_thumbnail_is_upright_and_keeps_the_aspect(photo_format):
    """A thumbnail is a JPEG of the upright photo whose long side is as asked."""
    data = oriented(scene(27, width=300, height=200), 6, photo_format)
    small = decode(thumbnail_jpeg(data, max_side=120))
    assert (small.width, small.height, small.format) == (120, 80, "JPEG")
    expected = cv2.resize(scene(27, width=300, height=200), (120, 80), interpolation=cv2.INTER_AREA)
    assert difference(small.pixels, expected).mean() < 4


def test_a_thumbnail_is_never_enlarged():
    """A photo smaller than the thumbnail keeps its size, and a strip keeps one pixel at least."""
    assert decode(thumbnail_jpeg(encoded(scene(28), "PNG"), max_side=500)).width == 96
    strip = Image.open(io.BytesIO(thumbnail_jpeg(encoded(scene(28, width=320, height=16), "PNG"), max_side=5)))
    assert strip.size == (5, 1)


def test_a_thumbnail_has_a_pixel_at_least():
    """A side below 1 is the caller's error, not the photo's."""
    with pytest.raises(UsageError, match="max_side"):
        thumbnail_jpeg(encoded(scene(29), "PNG"), max_side=0)


def test_a_frame_gives_the_thumbnail_that_is_stored():
    """Its long side is as stated, it shows the frame, and holds nothing but the picture; small frames stay as large."""
    frame = scene(30, width=400, height=301)
    data = encode_thumbnail(frame)
    small = Image.open(io.BytesIO(data))
    assert (small.format, small.size, small.getexif()) == ("JPEG", (THUMBNAIL_SIDE, 193), {})
    expected = cv2.resize(frame, (THUMBNAIL_SIDE, 193), interpolation=cv2.INTER_AREA)
    assert difference(decode(data).pixels, expected).mean() < 4
    assert Image.open(io.BytesIO(encode_thumbnail(frame[:9, :12]))).size == (12, 9)
    assert shrink_frame(frame[:, :2], max_side=10).shape == (10, 1, 3)


def test_a_damaged_thumbnail_is_refused():
    """Whoever reads it gets an error of the project, with a remedy, whatever the bytes are."""
    whole = encode_thumbnail(scene(30, width=60, height=40))
    assert decode_thumbnail(whole).shape == (40, 60, 3)
    for damaged in (b"x", whole[:100], whole[: len(whole) // 2], whole[:40] + bytes(60) + whole[100:]):
        with pytest.raises(ArtifactRefusedError, match=r"cannot be decoded .* index its archive again"):
            decode_thumbnail(damaged)
