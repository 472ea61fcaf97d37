"""`foundation.photos.header`: formats are told by content, and sizes are read before any decoder runs."""

import pytest

from foundation.photos.header import FORMATS, declared_size, sniff_format
from foundation.photos.rejects import NotAPhotoError, TruncatedPhotoError, UnsupportedFormatError
from tests.foundation.photos.files import ANYTHING, encoded
from tests.photos import scene

OTHER_IMAGES = {
    "HEIC/HEIF": [b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic"],
    "camera raw": [
        b"II*\0\x10\0\0\0CR\x02\0",
        b"IIU\0\x08\0\0\0",
        b"FUJIFILMCCD-RAW 0201",
        b"\0\0\0\x18ftypcrx \0\0\0\1",
    ],
    "PSD": [b"8BPS\0\1"],
    "ICO": [b"\0\0\1\0\2\0\x10\x10"],
    "JPEG 2000": [b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51\0\x2f"],
    "JPEG XL": [b"\xff\x0a\xfa\x7f", b"\0\0\0\x0cJXL \r\n\x87\n"],
    "JPEG XR": [b"II\xbc\1\x20\0\0\0"],
    "SVG": [
        b'<svg xmlns="x">',
        b'\n<?xml version="1.0"?>\n<!-- by hand -->\n<svg>',
        b"<!DOCTYPE svg PUBLIC 'x'>\n<svg>",
    ],
    "OpenEXR": [b"\x76\x2f\x31\x01\2\0\0\0"],
    "DDS": [b"DDS \x7c\0\0\0"],
    "QOI": [b"qoif\0\0\0\1"],
    "PNM": [b"P6\n640 480\n255\n"],
    "XCF": [b"gimp xcf v011"],
    "PDF": [b"%PDF-1.7"],
    "PostScript": [b"%!PS-Adobe-3.0 EPSF-3.0"],
}


@pytest.mark.parametrize("photo_format", FORMATS)
def test_supported_formats_are_told_by_content(photo_format):
    """Each format of the allow-list is recognised from its first bytes."""
    assert sniff_format(encoded(scene(1), photo_format)) == photo_format


@pytest.mark.parametrize(
    ("name", "start"), [(name, start) for name, starts in OTHER_IMAGES.items() for start in starts]
)
def test_other_image_formats_are_named(name, start):
    """An image format outside the allow-list is refused by its name, with the list of supported ones."""
    with pytest.raises(UnsupportedFormatError, match=f"received {name}, expected JPEG, PNG"):
        sniff_format(start + bytes(64))


def test_an_avif_may_call_itself_mif1():
    """The container brand mif1 is an AVIF when its compatible brands say so, and a HEIF otherwise."""
    assert sniff_format(b"\0\0\0\x1cftypmif1\0\0\0\0mif1miafavif\0\0\0\0meta") == "AVIF"


@pytest.mark.parametrize(
    "start", [b"BMW drove past", b"P7", b"RIFFxxxxWAVE", b"\0\0\1\0\0\0", b"II", b"\xff\xd8", b"GIF88a"]
)
def test_lookalikes_are_not_photos(start):
    """Text and files that merely begin like an image are not taken for one."""
    with pytest.raises(NotAPhotoError, match="begin with"):
        sniff_format(start)


@pytest.mark.parametrize("photo_format", [name for name in ANYTHING if name not in ("JPEG", "TIFF", "AVIF")])
def test_declared_size_is_the_size(photo_format):
    """Width and height come out of the first bytes, and a file that ends among them is truncated."""
    data = encoded(scene(2), photo_format)
    assert declared_size(data, photo_format) == (96, 64)
    with pytest.raises(TruncatedPhotoError):
        declared_size(data[:15], photo_format) if photo_format != "GIF" else declared_size(data[:9], "GIF")


@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": False}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}])
def test_every_kind_of_webp_declares_its_size(options):
    """Lossless, lossy and extended WebP keep their size in three different places."""
    assert declared_size(encoded(scene(3), "WEBP", **options), "WEBP") == (96, 64)


def test_parsers_tell_the_size_where_bytes_do_not():
    """TIFF and AVIF have no size at a fixed place; their parsers, which do not decode, tell it later."""
    assert declared_size(encoded(scene(4), "TIFF"), "TIFF") is None
    assert declared_size(encoded(scene(4), "AVIF"), "AVIF") is None
