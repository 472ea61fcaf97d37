"""Local features: how many, where, the same in a mirror and a negative, and small without losing what tells them."""

import cv2
import numpy as np
import pytest

from foundation.errors import UsageError
from foundation.photos import local_features
from foundation.photos.compressed_features import compress, compress_descriptors
from foundation.photos.local_features import LocalFeatures, extract, frame_size, inverted, mirrored


def textured(*, width: int = 320, height: int = 240, seed: int = 0) -> np.ndarray:
    """Returns a grey picture of blurred noise, uint8 [height, width]: corners everywhere."""
    noise = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def cosines(a: LocalFeatures, b: LocalFeatures, *, within: float = 2.0) -> np.ndarray:
    """Returns the cosine of each feature of `a` with that of `b` at its place and angle; 0 where there is none."""
    apart = np.linalg.norm(a.keypoints[:, None, :2] - b.keypoints[None, :, :2], axis=2)
    turned = np.abs((a.keypoints[:, None, 3] - b.keypoints[None, :, 3] + 180) % 360 - 180)
    apart = apart + np.where(turned < 10, 0, 1e6)
    nearest = apart.argmin(axis=1)
    x, y = a.descriptors.astype(float), b.descriptors[nearest].astype(float)
    cosine = (x * y).sum(axis=1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)
    return np.where(apart.min(axis=1) < within, cosine, 0)


def test_features_have_their_shapes_and_lie_in_the_frame():
    """A textured frame gives as many features as were asked for, at places inside of it."""
    features = extract(textured(), most=100)
    assert (features.width, features.height, len(features)) == (320, 240, 100)
    assert features.keypoints.dtype == np.float32
    assert features.descriptors.dtype == np.uint8
    assert features.descriptors.shape == (100, 128)
    assert (features.keypoints[:, :2] >= 0).all()
    assert (features.keypoints[:, :2] <= (320, 240)).all()


@pytest.mark.parametrize("size", [(1, 1), (17, 1), (3, 40), (300, 200)])
def test_a_frame_without_texture_has_no_features(size):
    """A blank frame, however small, is no error: it has no features."""
    features = extract(np.full(size, 127, np.uint8))
    assert len(features) == 0
    assert compress(mirrored(inverted(features))).descriptors.shape == (0, 64)


def test_features_are_spread_over_the_frame():
    """Of a frame with strong texture on one side and weak on the other, both sides get features."""
    grey = textured()
    grey[:, 160:] = 120 + grey[:, 160:] // 12
    features = extract(grey, most=40)
    assert (features.keypoints[:, 0] > 180).sum() >= 10


def test_a_mirrored_photo_needs_no_second_extraction():
    """The features of a mirrored photo are those of the photo, rearranged."""
    grey = textured(width=321, height=241)
    # OpenCV doubles the frame first, a quarter of a pixel off, so that some keypoints are found in one of the two only.
    found = cosines(extract(np.ascontiguousarray(grey[:, ::-1])), mirrored(extract(grey, most=400)))
    assert np.mean(found > 0.98) > 0.8


def test_a_negative_needs_no_second_extraction():
    """The features of a negative are those of the photo, rearranged."""
    grey = textured()
    found = cosines(extract(255 - grey), inverted(extract(grey, most=400)))
    assert np.mean(found > 0.999) > 0.99


def test_compressed_descriptors_keep_what_tells_them_apart():
    """After compression each feature of a slightly blurred photo is still nearest to its own in the photo."""
    grey = textured()
    features = extract(grey)
    moved = extract(cv2.GaussianBlur(grey, (0, 0), 0.8))
    full = moved.descriptors.astype(float) @ features.descriptors.T.astype(float)
    small = compress(moved).descriptors.astype(float) @ compress(features).descriptors.T.astype(float)
    assert np.mean(full.argmax(axis=1) == small.argmax(axis=1)) > 0.95
    lengths = np.linalg.norm(compress(features).descriptors.astype(float), axis=1)
    assert np.abs(lengths - 127).max() < 2


def test_compression_is_pinned():
    """The stored form of known descriptors does not change unless the rule's version does."""
    descriptors = (np.arange(256, dtype=np.int64).reshape(2, 128) * 7919 % 251).astype(np.uint8)
    assert local_features.FEATURE_RULE == 2
    assert compress_descriptors(descriptors)[:, :6].tolist() == [[3, -48, 3, -7, -5, 9], [-12, -40, -4, -11, -10, -2]]


@pytest.mark.parametrize(
    ("size", "frame"), [((4000, 3000), (400, 300)), ((300, 200), (300, 200)), ((10_000, 10), (400, 1))]
)
def test_the_frame_keeps_its_aspect_and_is_never_enlarged(size, frame):
    """The longest side of the frame is at most 400 pixels, and no side is below one."""
    assert frame_size(*size) == frame


def test_no_features_at_all_cannot_be_asked_for():
    """Asking for fewer than one feature is an error of usage."""
    with pytest.raises(UsageError, match="most is 0"):
        extract(textured(), most=0)


def test_features_of_the_strongest_are_among_those_of_all():
    """Looking at the strongest keypoints alone finds the same keypoints, and describes them alike."""
    grey = textured()
    few, all_of_them = extract(grey, most=40, of_strongest=60), extract(grey, most=1_000)
    places = {tuple(point): row for row, point in enumerate(all_of_them.keypoints.tolist())}
    rows = [places[tuple(point)] for point in few.keypoints.tolist()]
    assert len(rows) == 40
    assert np.array_equal(few.descriptors, all_of_them.descriptors[rows])


def test_features_by_octave_hold_more_large_ones():
    """Fine texture has the strongest corners; spread over scales too, some of the large ones are kept."""
    generator = np.random.default_rng(1)
    fine = cv2.GaussianBlur(generator.normal(0, 60, (240, 320)), (0, 0), 1.2)
    coarse = cv2.resize(generator.normal(0, 12, (8, 10)), (320, 240), interpolation=cv2.INTER_CUBIC)
    grey = np.clip(128 + fine + coarse, 0, 255).astype(np.uint8)
    large = [(extract(grey, most=200, by_octave=each).keypoints[:, 2] > 16).sum() for each in (False, True)]
    assert large[0] == 0
    assert large[1] > 5


def test_each_cell_gives_some_features_before_the_strongest_are_taken():
    """A twelfth of the frame has hardly any contrast, and keeps three features a cell all the same."""
    grey = textured()
    grey[:80, :106] = 120 + grey[:80, :106] // 16
    kept = extract(grey, most=108).keypoints
    assert ((kept[:, 0] < 106) & (kept[:, 1] < 80)).sum() >= 9
