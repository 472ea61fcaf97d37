"""`foundation.photos.jpeg`: what cameras and editors do to JPEGs is no damage, and damage never passes for it."""

import io

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from foundation.photos import jpeg
from foundation.photos.photo import UnsupportedFormatError, decode
from tests.foundation.photos.files import difference, encoded, outcome, reason_of
from tests.photos import scene


def with_junk(data: bytes) -> bytes:
    """Returns the JPEG with stray bytes before its first table, as some cameras write."""
    table = data.index(b"\xff\xdb")
    return data[:table] + b"\x00\x00\x00" + data[table:]


def left_over(data: bytes) -> bool:
    """Returns whether libjpeg's first complaint is of bytes left over before the end marker."""
    try:
        simplejpeg.decode_jpeg(data)
    except ValueError as error:
        return "extraneous bytes before marker 0xd9" in str(error)
    return False


def derailed(data: bytes) -> bytes:
    """Returns the JPEG with stray bytes in its scan, where libjpeg complains of nothing but left-over bytes."""
    last = data.rindex(b"\xff", 0, -2)  # a restart marker, or the scan's own
    start = last + (2 if 0xD0 <= data[last + 1] <= 0xD7 else 14)
    cases = (data[:place] + b"\x11\x5a" * 30 + data[place:] for place in range(start, len(data) - 2))
    return next(case for case in cases if left_over(case))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "YCCK"])
@pytest.mark.parametrize("size", [None, 8])
def test_junk_between_jpeg_segments_changes_nothing(mode, size):
    """Stray bytes in a JPEG's header are skipped, as viewers do, and the pixels stay the same."""
    data = encoded(Image.fromarray(scene(11)).convert(mode.replace("YCCK", "CMYK")), "JPEG")
    if mode == "YCCK":  # the same numbers under Adobe's other colour transform, which must survive too
        data = data.replace(b"Adobe\0\x64\0\0\0\0\0", b"Adobe\0\x64\0\0\0\0\2")
    np.testing.assert_array_equal(decode(with_junk(data), size=size).pixels, decode(data, size=size).pixels)


def test_junk_in_the_header_does_not_excuse_damage():
    """A JPEG with stray bytes in its header is still decoded strictly, where Pillow would take the damage."""
    damaged = with_junk(derailed(encoded(scene(11), "JPEG")))
    Image.open(io.BytesIO(damaged)).load()
    assert reason_of(damaged) == "corrupt"


@pytest.mark.parametrize("options", [{"progressive": True}, {"subsampling": 1}, {"restart_marker_rows": 1}])
def test_jpeg_varieties_decode(options):
    """Progressive, subsampled and restart-marked JPEGs take the same path."""
    assert difference(decode(encoded(scene(12), "JPEG", **options)).pixels, scene(12)).mean() < 3


LEFT_OVER = {
    "zeros": bytes(1214),
    "one byte": bytes(8) + b"\x55",  # libjpeg reads eight bytes ahead, and does not count them
    "a pattern": b"\x55" * 9,
    "text": b"Camera firmware 1.03, 24 May 2009 " * 40,
    "noise": np.random.default_rng(3).integers(0, 255, 1214, np.uint8).tobytes(),
}
VARIETIES = [
    {},
    {"subsampling": 2},
    {"quality": 60, "optimize": True},
    {"restart_marker_rows": 1},
    {"restart_marker_blocks": 5, "subsampling": 1},
]


@pytest.mark.parametrize("options", VARIETIES)
@pytest.mark.parametrize("name", LEFT_OVER)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_bytes_left_over_before_the_end_of_a_jpeg_are_harmless(mode, name, options):
    """Bytes between the last pixel and the end marker are no damage, whatever they are: every pixel is there."""
    image = Image.fromarray(scene(13, width=150, height=90)).convert(mode)
    data = encoded(image, "JPEG", **options)
    padded = data[:-2] + LEFT_OVER[name] + data[-2:]
    assert left_over(padded)
    assert difference(decode(padded).pixels, decode(data).pixels).max() <= 1
    assert difference(decode(padded, size=16).pixels, decode(data, size=16).pixels).mean() < 2


@pytest.mark.parametrize("options", VARIETIES)
def test_bytes_left_over_by_damage_are_corrupt(options):
    """A decoder that lost its way leaves bytes over too, and the lower part of the photo is wrong: `corrupt`."""
    data = encoded(scene(13, width=300, height=200), "JPEG", **options)
    assert reason_of(derailed(data)) == "corrupt"


NOISE = np.random.default_rng(6).integers(0, 256, (96, 80, 3), np.uint8)


@pytest.mark.parametrize("pixels", [scene(14, width=200, height=96), NOISE], ids=["smooth", "noise"])
def test_damage_that_leaves_bytes_over_is_found(pixels):
    """Of a hundred ways to damage a scan so that bytes are left over, one at most passes, its last rows damaged."""
    random = np.random.default_rng(5)
    data = encoded(pixels, "JPEG", quality=90, subsampling=2)
    scan = data.index(b"\xff\xda") + 14
    damaged = []
    for _ in range(1000):
        start, lost = int(random.integers(scan, len(data) - 40)), int(random.integers(0, 20))
        stray = random.integers(0, 255, int(random.integers(1, 20)), np.uint8).tobytes()
        damaged.append(data[:start] + stray + data[start + lost * int(random.integers(0, 2)) :])
    cases = [case for case in damaged if left_over(case)]
    assert len(cases) > 80
    passed = [decode(case).pixels[:64] for case in cases if outcome(case) == "photo"]
    assert len(passed) <= len(cases) / 100
    assert all(difference(upper, decode(data).pixels[:64]).max() <= 1 for upper in passed)


def test_what_cannot_be_told_is_corrupt():
    """Left-over bytes of a progressive JPEG are taken for damage unless they are zeros, as its scans are not read."""
    data = encoded(scene(13), "JPEG", progressive=True)
    assert decode(data[:-2] + bytes(99) + data[-2:]).width == 96
    assert reason_of(data[:-2] + b"\x55" * 99 + data[-2:]) == "corrupt"


def test_trailing_bytes_are_ignored():
    """A film or junk appended to a JPEG does not matter."""
    data = encoded(scene(14), "JPEG")
    np.testing.assert_array_equal(decode(data + b"film" * 1000).pixels, decode(data).pixels)


def test_twelve_bit_and_lossless_jpegs_are_unsupported():
    """JPEG's rare relatives are `unsupported_format`, and the message lists what is supported."""
    data = bytearray(encoded(scene(19), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 4] = 12
    assert reason_of(bytes(data)) == "unsupported_format"
    data[frame + 1], data[frame + 4] = 0xC3, 8
    with pytest.raises(UnsupportedFormatError, match="JPEG, PNG, WEBP, GIF, BMP, TIFF, AVIF"):
        decode(bytes(data))


def test_a_jpeg_of_endless_scans_is_corrupt(monkeypatch):
    """A progressive JPEG with thousands of scans, which would decode for hours, is refused from its markers."""
    monkeypatch.setattr(jpeg.simplejpeg, "decode_jpeg", lambda *args, **options: pytest.fail("decoded"))
    data = encoded(scene(22), "JPEG", progressive=True)
    scan = data.index(b"\xff\xda")
    assert reason_of(data[:-2] + data[scan : scan + 12] * 500 + data[-2:]) == "corrupt"


def test_a_jpeg_cut_anywhere_in_its_header_is_truncated():
    """From the end of the magic to the first scan, there is no offset at which a cut looks like damage."""
    data = encoded(scene(23), "JPEG")
    for length in range(3, data.index(b"\xff\xda")):
        assert reason_of(data[:length]) == "truncated", length
