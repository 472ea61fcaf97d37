"""`foundation.photos.photo`: bytes that are no usable photo are refused for a reason, from the header if it tells."""

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from foundation.errors import FirstseenError
from foundation.photos import jpeg, photo, pillow
from foundation.photos.photo import PhotoError, PhotoLimits, decode
from tests.foundation.photos.files import ANYTHING, encoded, reason_of
from tests.photos import scene


def test_every_reason_has_one_error():
    """`REASONS` lists exactly the reasons of the typed errors, and all of them end with exit code 4."""
    # A photo that cannot even be read has an error of the archives.
    kinds = [kind for kind in PhotoError.__subclasses__() if kind.__module__.startswith("foundation.photos.")]
    assert sorted(photo.REASONS) == sorted(kind.reason for kind in kinds)
    assert issubclass(PhotoError, FirstseenError)
    assert PhotoError.exit_code == 4


def test_no_bytes():
    """A file of 0 bytes is `empty_file`."""
    assert reason_of(b"") == "empty_file"


def test_too_many_bytes():
    """More bytes than allowed is `too_large`, before anything is parsed."""
    assert reason_of(b"x" * 101, limits=PhotoLimits(max_bytes=100)) == "too_large"


@pytest.mark.parametrize(
    "data", [b"<!DOCTYPE html><p>404", b"plain text", bytes(4000), b"RIFF\x10\0\0\0AVI LIST", b"BM"]
)
def test_what_is_no_image(data):
    """Web pages, text, zeros and films are `not_a_photo`."""
    assert reason_of(data) == "not_a_photo"


def test_too_many_pixels_in_the_file():
    """A sound photo above the pixel limit is `too_many_pixels`."""
    limits = PhotoLimits(max_pixels=6143, max_jpeg_pixels=6143)
    for photo_format in ANYTHING:
        assert reason_of(encoded(scene(15), photo_format), limits=limits) == "too_many_pixels"


def test_a_jpeg_may_have_more_pixels():
    """A JPEG has a limit of its own; one that only Pillow can decode, at full size, has that of the other formats."""
    limits = PhotoLimits(max_pixels=6143, max_jpeg_pixels=6144)
    data = encoded(scene(15), "JPEG")
    assert decode(data, limits=limits).width == 96
    assert reason_of(data[:-2] + bytes(99) + data[-2:], limits=limits) == "too_many_pixels"


@pytest.mark.parametrize("name", ["PNG", "GIF", "WEBP", "TIFF"])
def test_pillows_own_guard_never_speaks_first(name):
    """A header of 100 megapixels is no bomb: Pillow's own guard, which begins to warn at 89, is set behind ours."""
    assert reason_of(headers(10_000)[name]) in ("truncated", "corrupt")


def test_a_long_panorama_is_a_photo():
    """A frame of 40 short sides, longer than 16-bit coordinates reach, decodes whole and as a square."""
    data = encoded(Image.new("L", (34_000, 850), 90), "JPEG")
    assert decode(data).pixels.shape == (850, 34_000, 3)
    assert (decode(data, size=64).pixels == 90).all()


def test_extreme_aspect():
    """A strip is `extreme_aspect`; at the limit it still decodes."""
    assert reason_of(encoded(scene(16, width=408, height=8), "PNG")) == "extreme_aspect"
    assert decode(encoded(scene(16, width=400, height=8), "PNG")).width == 400


def test_too_small():
    """A side below the limit is `too_small`."""
    assert reason_of(encoded(scene(17, width=9, height=7), "PNG")) == "too_small"
    assert decode(encoded(scene(17, width=9, height=7), "PNG"), limits=PhotoLimits(min_side=7)).height == 7


def test_zero_sides_are_too_small():
    """A header that declares a zero dimension is `too_small`, whatever the format."""
    gif, png, jpeg = (bytearray(encoded(scene(18), name)) for name in ("GIF", "PNG", "JPEG"))
    gif[6:8] = png[16:20] = b"\0\0"
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 7] = b"\0\0"
    for data in (gif, png, jpeg):
        assert reason_of(bytes(data)) == "too_small"


def test_floats_have_no_white():
    """A TIFF of floats or of 32-bit integers is `unsupported_format`."""
    assert reason_of(encoded(Image.new("F", (32, 32), 0.5), "TIFF")) == "unsupported_format"
    assert reason_of(encoded(Image.new("I", (32, 32), 70_000), "TIFF")) == "unsupported_format"


def test_a_preview_is_not_the_photo():
    """A TIFF whose first page is a reduced-resolution preview is a camera's raw file: `unsupported_format`."""
    assert reason_of(encoded(scene(20), "TIFF", tiffinfo={254: 1})) == "unsupported_format"
    assert decode(encoded(scene(20), "TIFF", tiffinfo={254: 0})).width == 96


def test_damage_inside_the_pixels_is_corrupt():
    """Overwritten pixel data is `corrupt` in a JPEG and in a PNG: no pixel is invented."""
    for photo_format in ("JPEG", "PNG"):
        data = bytearray(encoded(scene(21, width=300, height=200), photo_format))
        middle = len(data) * 2 // 3
        data[middle : middle + 40] = b"\xff\x5b" * 20
        assert reason_of(bytes(data)) == "corrupt"


def test_what_libtiff_says_of_damage_is_not_printed(capfd):
    """libtiff, a C library, would write to stderr itself what the reject says already."""
    data = bytearray(encoded(scene(21), "TIFF", compression="tiff_lzw"))
    data[20:400] = bytes(380)
    assert reason_of(bytes(data)) == "corrupt"
    assert capfd.readouterr() == ("", "")


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(["JPEG", "BMP", "WEBP"]), share=st.floats(0.3, 0.999))
def test_a_cut_file_is_truncated(name, share):
    """A file that ends early anywhere in its pixels is `truncated`: a partial photo is a reject."""
    data = encoded(scene(23), name)
    assert reason_of(data[: int(len(data) * share)]) == "truncated"


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(list(ANYTHING)), share=st.floats(0, 0.98))
def test_a_cut_file_never_passes(name, share):
    """Cut at any offset, no format gives pixels or another exception than a PhotoError."""
    data = encoded(scene(24, width=48, height=40), name)
    assert reason_of(data[: int(len(data) * share)]) in photo.REASONS


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0"]))
def test_random_bytes_are_refused(data, magic):
    """Random bytes, with and without a known beginning, end in a PhotoError."""
    assert reason_of(magic + data) in photo.REASONS


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(list(ANYTHING)),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_flipped_bytes_give_a_photo_or_a_photo_error(name, flips):
    """Any few bytes overwritten in any format give pixels or a PhotoError, nothing else."""
    data = bytearray(encoded(scene(25, width=48, height=40), name))
    for share, value in flips:
        data[int(share * len(data))] = value
    try:
        shape = decode(bytes(data), size=16).pixels.shape
    except PhotoError:
        shape = (16, 16, 3)
    assert shape == (16, 16, 3)


# --- bombs ----------------------------------------------------------------------------------------------------


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Returns a PNG chunk with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def tiff_of(width: int, height: int) -> bytes:
    """Returns a TIFF header that declares this size and holds a few bytes of pixels."""
    tags = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 64)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4 + 64)


def headers(side: int) -> dict[str, bytes]:
    """Returns small files that declare a frame of `side` x `side` pixels, by format."""
    jpeg = bytearray(encoded(scene(26), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", side, side)
    canvas = (side - 1).to_bytes(3, "little") * 2
    return {
        "JPEG": bytes(jpeg),
        "PNG": b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)),
        "GIF": b"GIF89a" + struct.pack("<HH", side, side) + bytes(9),
        "BMP": b"BM" + bytes(12) + struct.pack("<IiiHHIIiiII", 40, side, -side, 1, 24, 0, 0, 0, 0, 0, 0),
        "WEBP": b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas,
        "TIFF": tiff_of(side, side),
    }


@pytest.mark.parametrize("name", headers(60_000))
def test_bombs_are_refused_from_their_header(name, monkeypatch):
    """A decompression bomb is `too_many_pixels` before any decoder touches its pixels."""
    monkeypatch.setattr(pillow, "_rgb", lambda image: pytest.fail("decoded"))
    monkeypatch.setattr(jpeg.simplejpeg, "decode_jpeg", lambda *args, **options: pytest.fail("decoded"))
    assert reason_of(headers(60_000)[name]) == "too_many_pixels"


def test_a_gif_frame_larger_than_its_canvas_is_a_bomb():
    """A frame that reaches far outside a small canvas is `too_many_pixels` too."""
    data = bytearray(encoded(Image.new("P", (32, 32)), "GIF"))
    frame = data.index(b"\x2c\0\0\0\0")
    data[frame + 5 : frame + 9] = struct.pack("<HH", 60_000, 60_000)
    assert reason_of(bytes(data)) == "too_many_pixels"
