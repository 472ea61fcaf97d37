"""`foundation.photos.jpeg`: what cameras and editors do to JPEGs is no damage, and damage never passes for it."""

import io

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from foundation.photos import jpeg
from foundation.photos.photo import UnsupportedFormatError, decode
from tests.foundation.photos.files import difference, encoded, reason_of
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


def test_padding_before_the_end_of_a_jpeg_is_harmless():
    """Zero bytes between the last pixel and the end marker are not damage; other left-over bytes are."""
    data = encoded(scene(13), "JPEG")
    padded = data[:-2] + b"\x00" * 9 + data[-2:]
    assert difference(decode(padded).pixels, decode(data).pixels).max() <= 1
    assert reason_of(data[:-2] + b"\x55" * 9 + data[-2:]) == "corrupt"


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
