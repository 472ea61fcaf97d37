"""What photos were searched by before encoders: worked out by hand where they are small enough, else by an oracle."""

import numpy as np
import pytest

from evaluation.baselines import (
    colour_histogram,
    difference_hash,
    perceptual_hash,
    principal_components,
    raw_pixels,
    vector_baselines,
)
from evaluation.metrics import by_vectors, found_first
from foundation.errors import UsageError
from tests.photos import scene

COLOUR = np.stack([scene(seed, width=32, height=32) for seed in range(24)])
GREY = COLOUR[:, 2:30, 2:30, :1]
EVERY = np.arange(24)


def blank(value, channels=1):
    """Returns one photo of one value."""
    return np.full((1, 28, 28, channels), value, np.uint8)


@pytest.mark.parametrize("photos", [GREY, COLOUR[:, ::2, ::2]], ids=["grey", "colour"])
def test_every_baseline_finds_each_photo_by_itself(photos):
    """Names, finite float32 vectors, and each photo strictly nearest to its own description."""
    found = [*vector_baselines(), principal_components(photos, dimension=16)]
    assert [baseline.name for baseline in found] == [
        "raw_pixels",
        "colour_histogram",
        "perceptual_hash",
        "difference_hash",
        "pca",
    ]
    for baseline in found:
        vectors = baseline.describe(photos)
        assert vectors.dtype == np.float32, baseline.name
        assert found_first(baseline.compare(vectors, vectors), EVERY, EVERY).all(), baseline.name


@pytest.mark.parametrize("channels", [1, 3])
def test_blank_photos_are_described_by_finite_vectors(channels):
    """Black, grey and white give numbers, not NaN."""
    photos = np.concatenate([blank(value, channels) for value in (0, 128, 255)])[:, :16, :16]
    pca = principal_components(COLOUR[:, ::2, ::2, :channels], dimension=4)
    for baseline in [*vector_baselines(), pca]:
        assert np.isfinite(baseline.describe(photos)).all(), baseline.name


def test_raw_pixels_are_the_values_in_order():
    """Nothing is scaled: differences of whole numbers are exact."""
    np.testing.assert_array_equal(raw_pixels(np.array([[[[1], [2]], [[3], [255]]]], np.uint8)), [[1, 2, 3, 255]])


@pytest.mark.parametrize("photos", [GREY, COLOUR[:, ::2, ::2]], ids=["grey", "colour"])
def test_pca_keeps_what_the_singular_values_say(photos):
    """The squared error of the training photos is that of the singular values left out."""
    pixels = raw_pixels(photos).astype(np.float64) / 255
    singular = np.linalg.svd(pixels - pixels.mean(axis=0), compute_uv=False)
    pca = principal_components(photos, dimension=8)
    assert pca.reconstruct is not None
    restored = pca.reconstruct(photos)
    assert pca.describe(photos).shape == (24, 8)
    assert restored.shape == photos.shape
    assert 0 <= restored.min() <= restored.max() <= 1
    error = ((restored - photos / 255) ** 2).sum()
    # Cutting off at black and white can only come nearer to the photo.
    assert 0.85 * (singular[8:] ** 2).sum() <= error <= 1.0001 * (singular[8:] ** 2).sum()


@pytest.mark.parametrize("dimension", [0, 25])
def test_pca_of_more_than_the_photos_hold_is_refused(dimension):
    """24 photos span 24 dimensions at most."""
    with pytest.raises(UsageError, match=f"dimension is {dimension}; expected 1 to 24"):
        principal_components(GREY, dimension=dimension)


def test_colour_histogram_knows_shares_not_places():
    """Mirrored photos are the same, roots of shares have unit length, and a share of a colour is half of half."""
    signatures = colour_histogram(COLOUR)
    assert signatures.shape == (24, 64)
    np.testing.assert_allclose(colour_histogram(COLOUR[:, :, ::-1]) ** 2, signatures**2, atol=1e-6)
    np.testing.assert_allclose((signatures**2).sum(axis=1), 1, rtol=1e-5)
    halves = np.concatenate([blank(0, 3)[:, :14], blank(255, 3)[:, :14]], axis=1)
    expected = (colour_histogram(blank(0, 3)) ** 2 + colour_histogram(blank(255, 3)) ** 2) / 2
    np.testing.assert_allclose(colour_histogram(halves) ** 2, expected, atol=2e-5)


def test_colour_histogram_shares_a_pixel_by_its_distances():
    """A grey of the palette lies mostly on it, falls off on both sides, and a nearer grey is the nearer photo."""
    assert colour_histogram(blank(119)).argmax() == 7  # the eighth of 16 greys: 7 · 17
    black, dark, light = (colour_histogram(blank(value)) for value in (0, 40, 200))
    assert np.linalg.norm(black - dark) < np.linalg.norm(black - light)
    red, orange, blue = (
        colour_histogram(np.full((1, 8, 8, 3), colour, np.uint8)) for colour in ((255, 0, 0), (255, 60, 0), (0, 0, 255))
    )
    assert np.linalg.norm(red - orange) < np.linalg.norm(red - blue)


def test_perceptual_hash_sees_frequencies():
    """A horizontal wave of the third frequency raises that bit; brightness raises none but the first."""
    wave = 128 + 60 * np.cos(np.pi * 3 * (2 * np.arange(32) + 1) / 64)
    photo = np.broadcast_to(np.rint(wave).astype(np.uint8)[None, None, :, None], (1, 32, 32, 1))
    first_row = perceptual_hash(photo).reshape(8, 8)[0]
    assert (first_row[0], first_row[3]) == (1, 1)
    np.testing.assert_array_equal(perceptual_hash(blank(200)), [[1] + [-1] * 63])


def test_difference_hash_sees_rising_edges():
    """A ramp that rises to the right is all ones, its mirror image all minus ones."""
    ramp = np.broadcast_to(np.arange(0, 252, 9, dtype=np.uint8)[None, None, :, None], (1, 28, 28, 1))
    np.testing.assert_array_equal(difference_hash(ramp), np.ones((1, 64)))
    np.testing.assert_array_equal(difference_hash(ramp[:, :, ::-1]), -np.ones((1, 64)))


@pytest.mark.parametrize("describe", [perceptual_hash, difference_hash])
def test_hashes_are_ordered_as_by_hamming(describe):
    """The squared distance of ±1 is four times the number of bits that differ."""
    hashes = describe(COLOUR)
    assert set(np.unique(hashes)) == {-1, 1}
    different = (hashes[:, None] != hashes).sum(axis=2)
    np.testing.assert_array_equal(by_vectors(hashes, hashes, distance="euclidean")(EVERY), -4 * different)
