"""Reencode, noise, blur, sharpen: as strong as stated, repeatable, and nothing but values changes."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import UsageError
from tests.photos import scene
from tests.training.edits.strategies import photos
from training.edits.degrade import (
    add_grain,
    add_noise,
    blur,
    motion_blur,
    pixelate,
    reencode,
    reencode_webp,
    reupload,
    sharpen,
    to_jpeg,
    to_palette,
)

PHOTO = scene(7, width=120, height=80)


@settings(deadline=None)
@given(photo=photos(), strength=st.integers(1, 100))
def test_every_edit_keeps_shape_and_type_and_repeats_itself(photo: np.ndarray, strength: int) -> None:
    """The same parameters give the same uint8 photo of the same shape, in memory of its own."""
    before = photo.copy()
    edits: list[Callable[[], np.ndarray]] = [
        lambda: reencode(photo, quality=strength),
        lambda: add_noise(photo, deviation=strength, seed=3),
        lambda: blur(photo, deviation=strength / 10),
    ]
    for edit in edits:
        edited = edit()
        assert (edited.shape, edited.dtype) == (photo.shape, np.uint8)
        np.testing.assert_array_equal(edited, edit())
        edited[:] = 0
        np.testing.assert_array_equal(photo, before)


@settings(deadline=None)
@given(photo=photos())
def test_neutral_parameters_change_nothing(photo: np.ndarray) -> None:
    """Noise and blur of no deviation give the photo, in memory of its own."""
    for same in (add_noise(photo, deviation=0, seed=0), blur(photo, deviation=0)):
        np.testing.assert_array_equal(same, photo)
        assert not np.shares_memory(same, photo)


def test_jpeg_of_lower_quality_is_smaller_and_close() -> None:
    """`to_jpeg` gives a JPEG in the right channel order."""
    small, large = to_jpeg(PHOTO, quality=20), to_jpeg(PHOTO, quality=95)
    assert len(small) < len(large)
    decoded = cv2.imdecode(np.frombuffer(large, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(decoded.astype(int) - PHOTO).mean() < 3


@pytest.mark.parametrize("channels", [1, 3])
def test_reencode_stays_close(channels: int) -> None:
    """A JPEG of low quality moves values by little, more of them than a good one, and keeps the channels in order."""
    photo = PHOTO[..., :channels]
    low, high = (np.abs(reencode(photo, quality=quality).astype(int) - photo).mean() for quality in (40, 95))
    assert 0 < high < low < 6


def test_a_photo_too_large_for_jpeg_is_refused() -> None:
    """The message says which shape it was and how large one may be."""
    with pytest.raises(UsageError, match=r"shape \(1, 65501, 1\) as JPEG; expected at most 65,500 pixels a side"):
        to_jpeg(np.zeros((1, 65_501, 1), np.uint8))


@pytest.mark.parametrize("deviation", [20, 40])
def test_noise_is_gaussian_of_the_stated_strength(deviation: int) -> None:
    """Middle grey keeps its mean and spreads by the deviation; each channel has noise of its own."""
    noisy = add_noise(np.full((128, 128, 3), 128, np.uint8), deviation=deviation, seed=1).astype(float) - 128
    assert noisy.mean() == pytest.approx(0, abs=deviation / 50)
    assert noisy.std() == pytest.approx(deviation, rel=0.02)
    assert np.mean(np.abs(noisy) <= 2 * deviation) == pytest.approx(0.95, abs=0.01)
    assert abs(np.corrcoef(noisy[..., 0].ravel(), noisy[..., 1].ravel())[0, 1]) < 0.03


def test_noise_depends_on_all_of_its_seed() -> None:
    """Another number anywhere in the seed gives other noise."""
    one, other, longer = (add_noise(PHOTO, deviation=30, seed=seed) for seed in ((1, 2), (1, 3), (1, 2, 1)))
    assert np.any(one != other)
    assert np.any(one != longer)


def test_noise_is_cut_off_at_black_and_white() -> None:
    """No value wraps around: black gets no darker and white no lighter."""
    assert np.median(add_noise(np.zeros((32, 32, 1), np.uint8), deviation=40, seed=0)) < 10
    assert np.median(add_noise(np.full((32, 32, 1), 255, np.uint8), deviation=40, seed=0)) > 245


@pytest.mark.parametrize("deviation", [1.5, 4])
def test_a_point_blurs_to_a_gaussian(deviation: float) -> None:
    """Its light spreads with the stated standard deviation, in pixels, and is still all there."""
    photo = np.zeros((61, 61, 1), np.uint8)
    photo[28:33, 28:33] = 255
    blurred = blur(photo, deviation=deviation)[:, :, 0].astype(float)
    variance = (blurred.sum(axis=0) * (np.arange(61) - 30) ** 2).sum() / blurred.sum()
    assert variance == pytest.approx(deviation**2 + (5**2 - 1) / 12, rel=0.1)
    assert blurred.sum() == pytest.approx(photo.sum(), rel=0.05)


def test_the_border_is_what_the_filter_sees_outside() -> None:
    """At a white edge, beyond which lies black, a photo darkens; where white goes on outside, it stays as it is."""
    white = np.full((20, 20, 1), 255, np.uint8)
    assert blur(white, deviation=3, border="black")[0, 0] < 100
    np.testing.assert_array_equal(blur(white, deviation=3, border="edge"), white)
    ramp = np.repeat(np.arange(0, 200, 10, dtype=np.uint8)[None, :, None], 20, axis=0)
    assert blur(ramp, deviation=2, border="reflect")[0, 0] > blur(ramp, deviation=2, border="edge")[0, 0]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda: to_jpeg(PHOTO, quality=0), "quality is 0; expected 1 to 100"),
        (lambda: reencode(PHOTO, quality=101), "quality is 101; expected 1 to 100"),
        (lambda: add_noise(PHOTO, deviation=-1, seed=0), "deviation is -1; expected 0 to 255"),
        (lambda: blur(PHOTO, deviation=1001), "deviation is 1001; expected 0 to 1,000"),
    ],
)
def test_parameters_out_of_bounds_are_refused(edit: Callable[[], np.ndarray], message: str) -> None:
    """A parameter outside its bounds is a usage error that names them."""
    with pytest.raises(UsageError, match=message):
        edit()


@pytest.mark.parametrize("channels", [1, 3])
def test_webp_and_palette_stay_close(channels: int) -> None:
    """The better the quality or the more colours, the closer; a palette has no more colours than asked for."""
    photo = np.ascontiguousarray(PHOTO[..., :channels])
    webp = [np.abs(reencode_webp(photo, quality=quality).astype(int) - photo).mean() for quality in (10, 90)]
    assert 0 < webp[1] < webp[0] < 8
    palettes = [to_palette(photo, colours=colours, dither=False) for colours in (8, 200)]
    assert len(np.unique(palettes[0].reshape(-1, channels), axis=0)) <= 8
    distances = [np.abs(palette.astype(int) - photo).mean() for palette in palettes]
    assert distances[1] < distances[0] < 60


@pytest.mark.parametrize("deviation", [5, 30])
def test_grain_is_gaussian_of_the_stated_strength(deviation: int) -> None:
    """Middle grey keeps its mean and spreads by the deviation; coloured grain differs by channel, other does not."""
    middle = np.full((128, 128, 3), 128, np.uint8)
    noisy = add_grain(middle, deviation=deviation, seed=1).astype(float) - 128
    assert noisy.mean() == pytest.approx(0, abs=0.5)
    assert noisy.std() == pytest.approx(deviation, rel=0.03)
    assert np.mean(np.abs(noisy) <= 2 * deviation) == pytest.approx(0.95, abs=0.02)
    assert abs(np.corrcoef(noisy[..., 0].ravel(), noisy[..., 1].ravel())[0, 1]) < 0.03
    assert np.ptp(add_grain(middle, deviation=deviation, coloured=False, seed=1), axis=2).max() == 0
    assert np.any(noisy + 128 != add_grain(middle, deviation=deviation, seed=2))


def test_larger_grains_resemble_their_neighbours() -> None:
    """Grains of four pixels are smooth from one to the next, those of one are not."""
    middle = np.full((128, 128, 1), 128, np.uint8)
    fine, coarse = (add_grain(middle, deviation=20, size=size, seed=1)[..., 0].astype(float) for size in (1, 4))
    assert abs(np.corrcoef(fine[:, 1:].ravel(), fine[:, :-1].ravel())[0, 1]) < 0.05
    assert np.corrcoef(coarse[:, 1:].ravel(), coarse[:, :-1].ravel())[0, 1] > 0.7


@pytest.mark.parametrize(("degrees", "axis"), [(0, 1), (90, 0)])
def test_motion_smears_along_its_line(degrees: int, axis: int) -> None:
    """A point becomes a line of the stated length in the stated direction, and keeps its light."""
    photo = np.zeros((41, 41, 1), np.uint8)
    photo[20, 20] = 255
    smeared = motion_blur(photo, length=11, degrees=degrees)[..., 0].astype(int)
    spread = [np.count_nonzero(smeared.sum(axis=1 - along) > 5) for along in (axis, 1 - axis)]
    assert spread[0] == pytest.approx(12, abs=2)
    assert spread[1] <= 3
    assert smeared.sum() == pytest.approx(255, rel=0.1)


def test_sharpening_raises_edges() -> None:
    """Beside an edge light gets lighter and dark darker, far from it nothing changes."""
    photo = np.full((20, 40, 1), 80, np.uint8)
    photo[:, 20:] = 160
    sharp = sharpen(photo, amount=1, deviation=2)[10, :, 0]
    assert (sharp[0], sharp[-1]) == (80, 160)
    assert sharp[19] < 60
    assert sharp[20] > 180


def test_pixels_are_squares_of_their_mean() -> None:
    """Two cells across a photo of two colours are those colours; as many cells as pixels change nothing."""
    photo = np.zeros((10, 20, 1), np.uint8)
    photo[:, 10:] = 200
    np.testing.assert_array_equal(pixelate(photo, cells=2), photo)
    assert (pixelate(photo, cells=1) == 100).all()
    np.testing.assert_array_equal(pixelate(PHOTO, cells=1000), PHOTO)


def test_uploading_again_resizes_each_time() -> None:
    """The sizes multiply, and every round loses some detail."""
    once, twice = (reupload(PHOTO, shares=shares, quality=30) for shares in ((1,), (0.5, 0.5)))
    assert (once.shape, twice.shape) == (PHOTO.shape, (20, 30, 3))
    np.testing.assert_array_equal(once, reencode(PHOTO, quality=30))
