"""A closer look: pixels prove what keypoints are too few for."""

import cv2
import numpy as np
import pytest

from serving.match.evidence import View
from serving.match.geometry.alignment import Scene, compare
from serving.match.geometry.guesses import guesses, resemblance
from serving.match.geometry.matching import Matches
from serving.match.geometry.sharpness import equally_sharp
from serving.match.geometry.transform import apply
from serving.match.pair import Pair
from serving.match.verify import verify
from tests.serving.match.pictures import query, scene, stored

PHOTO = scene(5)


def halftone(picture: np.ndarray) -> np.ndarray:
    """Returns a picture as a newspaper prints it: black dots, the larger the darker."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    ys, xs = np.mgrid[: grey.shape[0], : grey.shape[1]]
    screen = 127 + 127 * np.sin(xs * 0.6) * np.sin(ys * 0.6)
    return cv2.cvtColor(((grey > screen) * 255).astype(np.uint8), cv2.COLOR_GRAY2RGB)


@pytest.mark.parametrize(
    ("edited", "is_mirrored"),
    [
        (cv2.GaussianBlur(PHOTO, (0, 0), 12), False),
        (halftone(PHOTO), False),
        (halftone(PHOTO[:, ::-1].copy()), True),
    ],
    ids=["blurred", "halftone", "halftone mirrored"],
)
def test_a_photo_that_lost_its_keypoints_is_proved_by_its_pixels(edited: np.ndarray, is_mirrored: bool):
    """The whole frame is laid on the whole photo, in each view."""
    asked, photo = query(edited), stored(PHOTO)
    plain = verify(asked, photo)
    assert plain is None or plain.inliers < 12
    found = verify(asked.closer, photo)
    assert found is not None
    assert found.agreement > 0.6
    assert min(found.query_overlap, found.photo_overlap) > 0.95
    assert found.is_mirrored == is_mirrored


@pytest.mark.parametrize("seed", range(4))
def test_a_closer_look_at_strangers_finds_nothing(seed: int):
    """Guesses are many, and none of them makes another photo agree."""
    for edited in (cv2.GaussianBlur(scene(seed + 20), (0, 0), 9), halftone(scene(seed + 20))):
        assert verify(query(edited).closer, stored(PHOTO)) is None


def test_one_right_match_is_guess_enough():
    """A keypoint's place, scale and angle fix a similarity."""
    matches = Matches(np.array([[50, 40, 4, 10]], np.float32), np.array([[100, 30, 8, 40]], np.float32))
    whole, by_match = guesses(matches, ((200, 100), (400, 200)))
    assert np.allclose(apply(whole, np.array([[-0.5, -0.5], [199.5, 99.5]])), [[-0.5, -0.5], [399.5, 199.5]])
    assert np.allclose(apply(by_match, np.array([[50.0, 40.0]])), [[100, 30]])
    assert np.linalg.norm(by_match[:2, 0]) == pytest.approx(2)
    assert np.degrees(np.arctan2(by_match[1, 0], by_match[0, 0])) == pytest.approx(30)


def test_the_right_guess_resembles_the_photo_most():
    """Also some pixels off; a wrong one hardly does."""
    pair = Pair.of(query(PHOTO), stored(PHOTO), View())
    near, far = np.eye(3), np.eye(3)
    near[0, 2], far[0, 2] = 3, 90
    likeness = [resemblance(compare(one, pair.scene(one))) for one in (np.eye(3), near, far)]
    assert likeness[0] > 0.9
    assert likeness[0] > likeness[1] > 0.4 > abs(likeness[2])


@pytest.mark.parametrize("blur", [1.5, 3.0])
def test_the_sharper_picture_is_blurred(blur: float):
    """A blurred copy differs from its original less once that is as blurred."""
    pair = Pair.of(query(cv2.GaussianBlur(PHOTO, (0, 0), blur)), stored(PHOTO), View())
    before = pair.scene(np.eye(3))
    after = equally_sharp(before, np.eye(3))
    assert after.picture is before.picture
    assert _off(after) < 0.6 * _off(before)


def test_noise_is_blurred_away():
    """Of a noisy copy it is the copy that is blurred."""
    noise = np.random.default_rng(0).normal(0, 40, PHOTO.shape)
    pair = Pair.of(query(np.clip(PHOTO + noise, 0, 255).astype(np.uint8)), stored(PHOTO), View())
    before = pair.scene(np.eye(3))
    after = equally_sharp(before, np.eye(3))
    assert after.thumbnail is before.thumbnail
    assert _off(after) < 0.8 * _off(before)


def test_pictures_that_are_alike_are_left_as_they_are():
    """Compression alone is no reason to blur."""
    before = Pair.of(query(PHOTO), stored(PHOTO), View()).scene(np.eye(3))
    assert equally_sharp(before, np.eye(3)) is before


def _off(one: Scene) -> float:
    pair = compare(np.eye(3), one)
    return float(cv2.absdiff(pair.thumbnail, pair.warped)[20:-20, 20:-20].mean())
