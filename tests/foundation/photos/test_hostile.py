"""The decoder against a folder of files that break decoders: fuzzed, cut, oversized, misnamed, exotic."""

import csv
import resource
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from foundation.photos.photo import REASONS, Photo, PhotoLimits, decode
from tests.foundation.photos.files import outcome

DAMAGED = {"truncated", "corrupt"}
HEADER = {"too_many_pixels", "too_small", "extreme_aspect", "not_a_photo"} | DAMAGED

# Reasons that a file of each kind may be refused for; a kind that is not listed must decode.
MAY_BE_REFUSED = {
    "apng-broken": DAMAGED,
    "blank-image": set(),
    "bmp-broken": HEADER,
    "empty-file": {"empty_file"},
    "fuzzed-metadata": {"not_a_photo", "unsupported_format"},
    "gif-decompression-bomb": {"too_many_pixels"},
    "gif-fuzzed": DAMAGED,
    "gif-no-palette": {"too_small"},
    "gif-zero-dimension": {"too_small"},
    "heic": {"unsupported_format"},
    "heic-fuzzed": {"unsupported_format"},
    "heif": {"unsupported_format"},
    "ico": {"unsupported_format"},
    "ico-decompression-bomb": {"unsupported_format"},
    "jpeg-12bit": {"unsupported_format"},
    "jpeg-1x1": {"too_small"},
    "jpeg-bad-exif": {"too_small", "corrupt"},  # one has a single pixel, one is damaged in its scan as well
    "jpeg-corrupt": {"not_a_photo", "corrupt"},
    "jpeg-corrupt-body": {"corrupt"},
    "jpeg-extreme-aspect": {"extreme_aspect"},
    "jpeg-fuzz": HEADER,
    "jpeg-truncated": {"truncated"},
    "jpeg2000-16bit": {"unsupported_format"},
    "not-an-image": {"not_a_photo", "corrupt", "too_small"},  # one is a JPEG that declares no height
    "png-1x1": {"too_small"},
    "png-broken": HEADER,
    "png-broken-pngsuite": {"not_a_photo", "corrupt"},
    "png-corrupt-data": {"corrupt"},
    "png-decompression-bomb": {"too_many_pixels"},
    "png-decompression-bomb-text": {"too_small", "corrupt"},
    "png-fuzz": HEADER,
    "png-truncated": {"truncated"},
    "png-truncated-end": {"truncated"},
    "psd": {"unsupported_format"},
    "tiff-fuzz-crash": {"corrupt", "truncated"},
    "tiff-fuzz-oom": {"corrupt", "truncated"},
}
# Of the kinds above, the files that are whole photos all the same.
STILL_PHOTOS = {
    "pillow_broken_exif_dpi.jpg",
    "pillow_decompression_bomb_extents.gif",
    "pillow_empty_gps_ifd.jpg",
    "pillow_exif-dpi-zerodivision.jpg",
    "pillow_exif_gps_typeerror.jpg",
    "pillow_exif_typeerror.jpg",
    "pillow_invalid-exif-without-x-resolution.jpg",
    "pillow_invalid-exif.jpg",
    "pillow_truncated_exif_dpi.jpg",
}


@pytest.fixture(scope="module")
def hostile(shared_data: Path) -> Path:
    """The folder of hostile files."""
    folder = shared_data / "hostile"
    if not (folder / "manifest.csv").exists():
        pytest.skip(f"no manifest.csv in {folder}")
    return folder


def manifest(folder: Path) -> Iterator[dict[str, str]]:
    """Yields the rows of the manifest."""
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def is_expected(row: dict[str, str], received: str) -> bool:
    """Returns whether the outcome is one that the manifest and the kind of the file allow."""
    if row["expected"] == "decodable" or row["file"] in STILL_PHOTOS:
        return received == "photo"
    reasons = MAY_BE_REFUSED.get(row["kind"], set())
    assert reasons <= set(REASONS)
    if received == "photo":
        return row["expected"] != "must-be-rejected"
    return received in reasons


def test_every_hostile_file_has_its_outcome(hostile, capfd):
    """Photos decode, the rest is refused for a reason of its kind, whole and as a square alike; no library prints."""
    unexpected = []
    for row in manifest(hostile):
        data = (hostile / row["file"]).read_bytes()
        received = outcome(data)
        if not is_expected(row, received) or outcome(data, size=32) != received:
            unexpected.append((row["file"], row["kind"], row["expected"], received))
    assert not unexpected
    assert capfd.readouterr() == ("", "")  # libtiff would, from C


def square(folder: Path, name: str, size: int = 64) -> Photo:
    """Returns the named file as a square."""
    return decode((folder / name).read_bytes(), size=size)


@pytest.mark.parametrize(
    ("first", "others"),
    [
        ("exifor_Landscape_1.jpg", [f"exifor_Landscape_{orientation}.jpg" for orientation in (3, 6, 8)]),
        ("exifor_Portrait_5.jpg", ["exifor_Portrait_6.jpg"]),
        (
            "pillow_avif_hopper.avif",
            [f"pillow_hopper_orientation_{name}" for name in ("2.jpg", "5.jpg", "6.jpg", "8.jpg", "6.webp")],
        ),
    ],
)
def test_one_photo_in_all_orientations_is_one_photo(hostile, first, others):
    """Files that store the same photo turned eight ways, in three formats, give the same square."""
    expected = square(hostile, first)
    for name in others:
        received = square(hostile, name)
        assert (received.width, received.height) == (expected.width, expected.height)
        # the number drawn into the exifor photos differs, so the middle is compared loosely
        assert np.abs(received.pixels.astype(int) - expected.pixels).mean() < 6, name


def test_an_avif_turned_by_its_container_is_upright(hostile):
    """The sky of an AVIF with irot and imir boxes is above its meadow."""
    photo = square(hostile, "pillow_avif_rot1mir0.avif")
    assert (photo.width, photo.height) == (640, 427)
    top, bottom = photo.pixels[:8].mean((0, 1)), photo.pixels[-8:].mean((0, 1))
    assert top[2] > top[1] > top[0]  # blue
    assert bottom[1] > bottom[2] + 20  # green


def test_one_photo_in_all_modes_is_one_photo(hostile):
    """CMYK, palette, grey with alpha and 1 bit versions of one photo are alike in brightness."""
    expected = cv2.cvtColor(square(hostile, "threatex_P.png", 16).pixels, cv2.COLOR_RGB2GRAY).astype(int)
    for name in ("threatex_CMYK.jpg", "threatex_LA.png", "threatex_1.png"):
        received = cv2.cvtColor(square(hostile, name, 16).pixels, cv2.COLOR_RGB2GRAY)
        assert np.abs(received - expected).mean() < 20, name


def test_a_bomb_of_text_does_not_fill_memory(hostile):
    """A PNG whose text chunks unpack to hundreds of megabytes costs a few, whatever becomes of it."""
    data = (hostile / "pillow_png_decompression_dos.png").read_bytes()
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert outcome(data, limits=PhotoLimits(min_side=1)) in ("photo", "corrupt")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 200 * 1024


def test_names_and_extensions_do_not_matter(hostile):
    """JPEG bytes are a JPEG whether they are called .png, .bmp, .svg, .gif or nothing."""
    for row in manifest(hostile):
        if row["kind"] in ("wrong-extension", "no-extension"):
            assert decode((hostile / row["file"]).read_bytes()).format == "JPEG"
