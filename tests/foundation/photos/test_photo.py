"""`foundation.photos.photo`: the same bytes give the same upright pixels, and hostile bytes give a typed reject."""

import hashlib
import io
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from foundation.errors import FirstseenError, UsageError
from foundation.photos import photo, pillow
from foundation.photos.photo import PhotoError, PhotoLimits, decode, thumbnail_jpeg
from tests.photos import scene

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
    """Return the image as a file of this format, without loss where the format can."""
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, photo_format, **(ANYTHING.get(photo_format, {}) | options))
    return file.getvalue()


def oriented(pixels: np.ndarray, orientation: int, photo_format: str) -> bytes:
    """Return a file that stores the upright pixels turned, and says how in its orientation tag."""
    image = Image.fromarray(pixels)
    turn = STORED_AS[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image if turn is None else image.transpose(turn), photo_format, exif=exif)


def difference(received: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return the absolute difference in grey levels."""
    assert received.shape == expected.shape
    return np.abs(received.astype(int) - expected.astype(int))


def reason_of(data: bytes, **options) -> str:
    """Return the reason for which the bytes are refused."""
    with pytest.raises(PhotoError) as caught:
        decode(data, **options)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 4
    return caught.value.reason


# --- pixels ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("photo_format", LOSSLESS)
def test_full_resolution_is_exact_for_lossless_formats(photo_format):
    """Without a size, a lossless file gives back the pixels that went in, as writable uint8 RGB."""
    result = decode(encoded(scene(1), photo_format))
    np.testing.assert_array_equal(result.pixels, scene(1))
    assert result.pixels.dtype == np.uint8
    assert (result.width, result.height, result.format) == (96, 64, photo_format)


@pytest.mark.parametrize("orientation", STORED_AS)
@pytest.mark.parametrize("photo_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_orientation_is_turned_upright(photo_format, orientation):
    """All eight orientations give the upright photo in every format that has them, whole and as a square."""
    upright = scene(2)
    data = oriented(upright, orientation, photo_format)
    whole, square = decode(data), decode(data, size=32)
    assert difference(whole.pixels, upright).mean() < 2
    assert difference(square.pixels, cv2.resize(upright, (32, 32), interpolation=cv2.INTER_AREA)).mean() < 2
    assert (whole.width, whole.height) == (square.width, square.height) == (96, 64)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg"])
def test_a_compressed_tiff_is_turned_upright_once(compression):
    """Pillow turns TIFFs itself, by two code paths; none is turned twice or left lying."""
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = Image.fromarray(scene(2)).transpose(STORED_AS[6])
    result = decode(encoded(turned, "TIFF", exif=exif, compression=compression), size=32)
    expected = cv2.resize(scene(2), (32, 32), interpolation=cv2.INTER_AREA)
    assert difference(result.pixels, expected).mean() < 2
    assert (result.width, result.height) == (96, 64)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_impossible_orientation_is_upright(orientation):
    """Values outside 1 to 8 leave the photo as it is stored."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(decode(encoded(scene(3), "PNG", exif=exif)).pixels, scene(3))


def test_imagemagick_orientation_in_png_text_is_applied():
    """EXIF that ImageMagick hid in a PNG text chunk turns the photo like an eXIf chunk does."""
    exif = Image.Exif()
    exif[0x0112] = 3
    info = PngInfo()
    info.add_text("Raw profile type exif", f"\nexif\n{len(exif.tobytes()):8}\n{exif.tobytes().hex()}\n", zip=True)
    data = encoded(scene(4)[::-1, ::-1], "PNG", pnginfo=info)
    np.testing.assert_array_equal(decode(data).pixels, scene(4))


@pytest.mark.parametrize("size", [16, 64, 100, 224, 300])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_shrink_on_load_is_close_to_a_full_decode(size, subsampling):
    """A JPEG shrunk while decoding differs from a full decode with a box filter by a few grey levels at most."""
    data = encoded(scene(5, width=1203, height=797), "JPEG", subsampling=subsampling)
    full = Image.open(io.BytesIO(data)).convert("RGB").resize((size, size), Image.Resampling.BOX)
    delta = difference(decode(data, size=size).pixels, np.asarray(full))
    assert delta.mean() < 1
    assert delta.max() <= 4


@settings(max_examples=60, deadline=None)
@given(width=st.integers(8, 160), height=st.integers(8, 160), size=st.integers(1, 48))
def test_the_square_has_the_asked_size(width, height, size):
    """Whatever the frame and however it was shrunk, the square is exact, and a flat photo stays flat."""
    data = encoded(Image.new("RGB", (width, height), (90, 120, 150)), "JPEG")
    square = decode(data, size=size).pixels
    assert difference(square, np.broadcast_to([90, 120, 150], (size, size, 3))).max() <= 2


def test_the_square_shows_the_whole_frame():
    """The borders survive: nothing is cropped from a wide photo."""
    pixels = np.zeros((100, 400, 3), np.uint8)
    pixels[:, :40], pixels[:, -40:] = (255, 0, 0), (0, 0, 255)
    square = decode(encoded(pixels, "PNG"), size=20).pixels
    np.testing.assert_array_equal(square[10, 0], (255, 0, 0))
    np.testing.assert_array_equal(square[10, -1], (0, 0, 255))


def test_a_side_that_shrinks_is_averaged_while_the_other_grows():
    """A narrow panorama is averaged along its length, not sampled: a fine pattern turns to even grey."""
    stripes = np.zeros((16, 320, 3), np.uint8)
    stripes[:, ::2] = 255
    assert difference(decode(encoded(stripes, "PNG"), size=32).pixels, np.full((32, 32, 3), 127)).max() <= 2


def test_small_photos_are_enlarged():
    """A photo below the asked size is interpolated up without new extremes."""
    pixels = scene(6, width=20, height=12)
    square = decode(encoded(pixels, "PNG"), size=64).pixels
    assert square.shape == (64, 64, 3)
    assert pixels.min() <= square.min() <= square.max() <= pixels.max()


@pytest.mark.parametrize("size", [None, 32])
def test_grey_is_rec_601_luma(size):
    """One channel is 0.299 R + 0.587 G + 0.114 B of the colour pixels, for every format."""
    for photo_format in ANYTHING:
        data = encoded(scene(7), photo_format)
        colour, grey = decode(data, size=size).pixels, decode(data, size=size, channels=1).pixels
        assert grey.shape == (*colour.shape[:2], 1)
        assert difference(grey[..., 0], colour @ np.array([0.299, 0.587, 0.114])).max() <= 1


def test_equal_bytes_give_equal_pixels_in_every_thread():
    """Decoding is a function of the bytes alone: threads agree with the serial run."""
    files = [oriented(scene(seed), 1 + seed % 8, name) for seed in range(6) for name in ("JPEG", "PNG", "WEBP", "TIFF")]
    serial = [decode(data, size=24).pixels for data in files]
    with ThreadPoolExecutor(8) as threads:
        parallel = list(threads.map(lambda data: decode(data, size=24).pixels, files * 5))
    for received, expected in zip(parallel, serial * 5, strict=True):
        np.testing.assert_array_equal(received, expected)


# --- odd pixels -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("photo_format", ["JPEG", "TIFF"])
def test_cmyk_becomes_plain_rgb(photo_format):
    """CMYK is converted by the plain formula, and Adobe's inversion in JPEG is undone."""
    image = Image.fromarray(scene(8)).convert("CMYK")
    result = decode(encoded(image, photo_format)).pixels
    assert difference(result, np.asarray(image.convert("RGB"))).mean() < 3


@pytest.mark.parametrize("shape", [(40, 56), (40, 56, 3), (40, 56, 4)])
def test_sixteen_bits_keep_the_high_byte(shape):
    """16-bit grey, RGB and opaque RGBA are scaled to 8 bits, not clipped at 255."""
    deep = np.random.default_rng(9).integers(0, 2**16, shape, np.uint16)
    if shape[2:] == (4,):
        deep[..., 3] = 2**16 - 1
    for extension in (".png", ".tiff"):
        data = cv2.imencode(extension, deep)[1].tobytes()
        high = (deep >> 8).astype(np.uint8)
        expected = np.repeat(high[..., None], 3, 2) if deep.ndim == 2 else high[..., 2::-1]  # OpenCV writes BGR
        assert difference(decode(data).pixels, expected).max() <= 1


@pytest.mark.parametrize("mode", ["1", "L", "P", "LAB"])
def test_other_colour_models_become_rgb(mode):
    """One bit, grey, palette and LAB look like Pillow's own conversion of them."""
    image = Image.fromarray(scene(10))
    if mode == "LAB":
        lab = cv2.cvtColor(scene(10), cv2.COLOR_RGB2LAB)
        image = Image.frombytes("LAB", (96, 64), (lab ^ np.array([0, 128, 128], np.uint8)).tobytes())
        assert difference(decode(encoded(image, "TIFF")).pixels, scene(10)).mean() < 12  # D50 against D65
        return
    image = image.convert(mode)
    np.testing.assert_array_equal(decode(encoded(image, "PNG")).pixels, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
def test_transparency_is_white(mode):
    """Alpha, a transparent palette entry and a transparent colour key are all composited over white."""
    colour = Image.new("RGB", (32, 32), (200, 30, 60))
    colour.paste((0, 0, 0), (0, 0, 16, 32))
    if mode in ("RGBA", "LA"):
        image = colour.convert(mode)
        image.putalpha(Image.fromarray(np.repeat([[0] * 16 + [255] * 16], 32, 0).astype(np.uint8)))
        data = encoded(image, "PNG")
    elif mode == "P":
        image = colour.quantize(2)
        data = encoded(image, "PNG", transparency=image.getpixel((0, 0)))
    else:
        data = encoded(colour, "PNG", transparency=(0, 0, 0))
    pixels = decode(data).pixels
    assert (pixels[:, :16] == 255).all()
    opaque = colour.convert("L").convert("RGB") if mode == "LA" else colour
    np.testing.assert_array_equal(pixels[:, 16:], np.asarray(opaque)[:, 16:])


def test_half_transparent_is_halfway_to_white():
    """Partial alpha mixes the colour with white."""
    data = encoded(Image.new("RGBA", (32, 32), (0, 100, 200, 128)), "WEBP")
    assert difference(decode(data).pixels, np.broadcast_to([127, 177, 227], (32, 32, 3))).max() <= 1


@pytest.mark.parametrize("photo_format", ["GIF", "WEBP", "PNG", "TIFF", "AVIF", "MPO"])
def test_the_first_frame_stands_for_an_animation(photo_format):
    """Of an animation, a multi-page document or a stereo pair, the first image is the photo."""
    frames = [Image.new("RGB", (40, 32), colour) for colour in ("red", "lime", "blue")]
    data = encoded(frames[0], photo_format, save_all=True, append_images=frames[1:])
    result = decode(data)
    assert difference(result.pixels, np.asarray(frames[0])).max() <= 4
    assert result.format == ("JPEG" if photo_format == "MPO" else photo_format)


# --- JPEG relatives -------------------------------------------------------------------------------------------


def with_junk(data: bytes) -> bytes:
    """Return the JPEG with stray bytes before its first table, as some cameras write."""
    table = data.index(b"\xff\xdb")
    return data[:table] + b"\x00\x00\x00" + data[table:]


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
    data = with_junk(encoded(scene(11), "JPEG"))
    damaged = data[:-2] + b"\x55" * 9 + data[-2:]
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


# --- refusals -------------------------------------------------------------------------------------------------


def test_every_reason_has_one_error():
    """`REASONS` lists exactly the reasons of the typed errors, and all of them end with exit code 4."""
    kinds = [kind for kind in PhotoError.__subclasses__() if kind.__module__.startswith("foundation.photos.")]
    assert sorted(photo.REASONS) == sorted(error.reason for error in kinds)
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
    for photo_format in ANYTHING:
        assert reason_of(encoded(scene(15), photo_format), limits=PhotoLimits(max_pixels=6143)) == "too_many_pixels"


def test_extreme_aspect():
    """A strip is `extreme_aspect`; at the limit it still decodes."""
    assert reason_of(encoded(scene(16, width=168, height=8), "PNG")) == "extreme_aspect"
    assert decode(encoded(scene(16, width=160, height=8), "PNG")).width == 160


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


def test_twelve_bit_and_lossless_jpegs_are_unsupported():
    """JPEG's rare relatives are `unsupported_format`, and the message lists what is supported."""
    data = bytearray(encoded(scene(19), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 4] = 12
    assert reason_of(bytes(data)) == "unsupported_format"
    data[frame + 1], data[frame + 4] = 0xC3, 8
    with pytest.raises(photo.UnsupportedFormatError, match="JPEG, PNG, WEBP, GIF, BMP, TIFF, AVIF"):
        decode(bytes(data))


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


def test_a_jpeg_of_endless_scans_is_corrupt(monkeypatch):
    """A progressive JPEG with thousands of scans, which would decode for hours, is refused from its markers."""
    monkeypatch.setattr(photo.simplejpeg, "decode_jpeg", lambda *args, **options: pytest.fail("decoded"))
    data = encoded(scene(22), "JPEG", progressive=True)
    scan = data.index(b"\xff\xda")
    assert reason_of(data[:-2] + data[scan : scan + 12] * 500 + data[-2:]) == "corrupt"


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(["JPEG", "BMP", "WEBP"]), share=st.floats(0.3, 0.999))
def test_a_cut_file_is_truncated(name, share):
    """A file that ends early anywhere in its pixels is `truncated`: a partial photo is a reject."""
    data = encoded(scene(23), name)
    assert reason_of(data[: int(len(data) * share)]) == "truncated"


def test_a_jpeg_cut_anywhere_in_its_header_is_truncated():
    """From the end of the magic to the first scan, there is no offset at which a cut looks like damage."""
    data = encoded(scene(23), "JPEG")
    for length in range(3, data.index(b"\xff\xda")):
        assert reason_of(data[:length]) == "truncated", length


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
    """Return a PNG chunk with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def tiff_of(width: int, height: int) -> bytes:
    """Return a TIFF header that declares this size and holds a few bytes of pixels."""
    tags = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 64)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4 + 64)


def bombs() -> dict[str, bytes]:
    """Return small files that declare 60,000 x 60,000 pixels."""
    jpeg = bytearray(encoded(scene(26), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 60_000, 60_000)
    canvas = (59_999).to_bytes(3, "little") * 2
    return {
        "JPEG": bytes(jpeg),
        "PNG": b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)),
        "GIF": b"GIF89a" + struct.pack("<HH", 60_000, 60_000) + bytes(9),
        "BMP": b"BM" + bytes(12) + struct.pack("<IiiHHIIiiII", 40, 60_000, -60_000, 1, 24, 0, 0, 0, 0, 0, 0),
        "WEBP": b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas,
        "TIFF": tiff_of(60_000, 60_000),
    }


@pytest.mark.parametrize("name", bombs())
def test_bombs_are_refused_from_their_header(name, monkeypatch):
    """A decompression bomb is `too_many_pixels` before any decoder touches its pixels."""
    monkeypatch.setattr(pillow, "_rgb", lambda image: pytest.fail("decoded"))
    monkeypatch.setattr(photo.simplejpeg, "decode_jpeg", lambda *args, **options: pytest.fail("decoded"))
    assert reason_of(bombs()[name]) == "too_many_pixels"


def test_a_gif_frame_larger_than_its_canvas_is_a_bomb():
    """A frame that reaches far outside a small canvas is `too_many_pixels` too."""
    data = bytearray(encoded(Image.new("P", (32, 32)), "GIF"))
    frame = data.index(b"\x2c\0\0\0\0")
    data[frame + 5 : frame + 9] = struct.pack("<HH", 60_000, 60_000)
    assert reason_of(bytes(data)) == "too_many_pixels"


# --- thumbnails and arguments ---------------------------------------------------------------------------------


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


@pytest.mark.parametrize("options", [{"size": 0}, {"size": -1}, {"channels": 2}, {"channels": 4}])
def test_impossible_arguments_are_usage_errors(options):
    """A size below 1 and channels other than 1 and 3 are the caller's error, not the photo's."""
    with pytest.raises(UsageError, match="expected"):
        decode(encoded(scene(29), "PNG"), **options)
    with pytest.raises(UsageError, match="max_side"):
        thumbnail_jpeg(encoded(scene(29), "PNG"), max_side=0)


@pytest.mark.parametrize("option", ["max_bytes", "max_pixels", "max_aspect", "min_side"])
def test_limits_are_checked(option):
    """A limit of zero, or a pixel limit above Pillow's own guard, is refused with its range."""
    with pytest.raises(UsageError, match=rf"{option} is 0, expected 1 to \d+"):
        PhotoLimits(**{option: 0})
    with pytest.raises(UsageError, match="max_pixels"):
        PhotoLimits(max_pixels=90_000_000)


def test_digest_and_metadata_come_along():
    """The photo carries its file's SHA-256, and its metadata unless that is switched off."""
    exif = Image.Exif()
    exif[0x010E] = "A bridge"
    data = encoded(scene(30), "JPEG", exif=exif)
    assert decode(data).content_sha256 == hashlib.sha256(data).digest()
    assert decode(data, size=16).metadata.caption == "A bridge"
    assert decode(data, with_metadata=False).metadata.caption is None
