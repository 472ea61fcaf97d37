"""`foundation.photos.photo`: the same bytes give the same upright pixels, and hostile bytes give a typed reject."""

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from foundation.errors import UsageError
from foundation.photos import photo as photo_module
from foundation.photos.photo import decode
from tests.foundation.photos.files import ANYTHING, LOSSLESS, STORED_AS, difference, encoded, oriented
from tests.photos import scene


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


@pytest.mark.parametrize("orientation", STORED_AS)
@pytest.mark.parametrize("photo_format", ["JPEG", "PNG"])
def test_a_frame_comes_upright_beside_the_square(photo_format, orientation):
    """It keeps the photo's aspect at the asked side, and both show the same photo."""
    upright = scene(27, width=300, height=200)
    found = decode(oriented(upright, orientation, photo_format), size=32, frame_side=120)
    assert found.frame is not None
    assert found.frame.flags.c_contiguous
    assert difference(found.frame, cv2.resize(upright, (120, 80), interpolation=cv2.INTER_AREA)).mean() < 2
    assert difference(found.pixels, cv2.resize(upright, (32, 32), interpolation=cv2.INTER_AREA)).mean() < 2
    assert (found.width, found.height) == (300, 200)


def test_a_frame_is_never_enlarged():
    """A small photo is its own frame; a strip has one pixel of height at least; without asking there is none."""
    np.testing.assert_array_equal(decode(encoded(scene(28), "PNG"), size=8, frame_side=400).frame, scene(28))
    strip = decode(encoded(scene(28, width=320, height=16), "PNG"), size=8, frame_side=5).frame
    assert strip is not None
    assert strip.shape == (1, 5, 3)
    assert decode(encoded(scene(28), "PNG"), size=8).frame is None


def test_one_decode_serves_square_and_frame(monkeypatch):
    """The JPEG is decoded once, shrunk as far as the larger of both allows; the frame is close to a full decode."""
    decoded = []
    read_frame = photo_module.read_frame
    monkeypatch.setattr(photo_module, "read_frame", lambda *given: decoded.append(read_frame(*given)) or decoded[-1])
    data = encoded(scene(5, width=1603, height=1197), "JPEG")
    found = decode(data, size=32, frame_side=400)
    assert [one.shrink for one in decoded] == [4]
    full = Image.fromarray(scene(5, width=1603, height=1197)).resize((400, 299), Image.Resampling.BOX)
    assert difference(found.frame, np.asarray(full)).max() <= 6
    decode(data, size=500, frame_side=400)
    assert [one.shrink for one in decoded] == [4, 2]


def test_a_frame_changes_no_square_that_is_not_shrunk_while_decoding():
    """Formats other than JPEG give the same square with a frame and without."""
    data = encoded(scene(31, width=801, height=603), "PNG")
    np.testing.assert_array_equal(decode(data, size=32, frame_side=400).pixels, decode(data, size=32).pixels)


@pytest.mark.parametrize("options", [{"size": 0}, {"size": -1}, {"channels": 2}, {"channels": 4}, {"frame_side": 0}])
def test_impossible_arguments_are_usage_errors(options):
    """A size below 1 and channels other than 1 and 3 are the caller's error, not the photo's."""
    with pytest.raises(UsageError, match="expected"):
        decode(encoded(scene(29), "PNG"), **options)


def test_digest_and_metadata_come_along():
    """The photo carries its file's SHA-256, and its metadata unless that is switched off."""
    exif = Image.Exif()
    exif[0x010E] = "A bridge"
    data = encoded(scene(30), "JPEG", exif=exif)
    assert decode(data).content_sha256 == hashlib.sha256(data).digest()
    assert decode(data, size=16).metadata.caption == "A bridge"
    assert decode(data, with_metadata=False).metadata.caption is None
