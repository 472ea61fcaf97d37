"""Verdicts: the word for what was done, and whether it is a copy at all."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from serving.match.calibrate import Regression, measures
from serving.match.verdict import IS_COPY, PROVING_INLIERS, judge
from serving.match.verify import verify
from tests.serving.match.pictures import embedded, from_elsewhere, proven, query, scene, stored, turned

PHOTO = scene(1)
HEIGHT, WIDTH = PHOTO.shape[:2]


def with_banner(photo: np.ndarray) -> np.ndarray:
    """A box of one colour over a part of the photo."""
    edited = photo.copy()
    edited[260:330, 40:400] = (200, 20, 20)
    return edited


def grey(photo: np.ndarray) -> np.ndarray:
    """The photo in black and white."""
    return cv2.cvtColor(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def compressed(photo: np.ndarray) -> np.ndarray:
    """The photo saved as a small JPEG."""
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 1))


EDITS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "reencoded": compressed,
    "resized": lambda photo: cv2.resize(photo, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA),
    "cropped": lambda photo: photo[40:300, 60:420].copy(),
    "mirrored": lambda photo: photo[:, ::-1].copy(),
    "rotated": lambda photo: turned(photo, 12),
    "recoloured": grey,
    "overlaid": with_banner,
    "embedded": lambda photo: embedded(photo, top=90, left=60, width=WIDTH + 300, height=HEIGHT + 200),
}


@pytest.mark.parametrize("verdict", EDITS)
def test_one_change_gives_the_verdict_its_name(verdict: str):
    """Each word of DESIGN.md for one change, and all of them are copies."""
    found = judge(proven(EDITS[verdict](PHOTO), PHOTO))
    assert (found.name, found.score > 0.9) == (verdict, True)


def test_several_changes_are_an_edit():
    """A mirrored crop under a banner is no longer one thing."""
    edited = with_banner(PHOTO)[:, ::-1][50:350, 30:430].copy()
    assert judge(proven(edited, PHOTO)).name == "edited"


def test_saving_a_photo_anew_changes_no_other_verdict():
    """Whoever crops a photo saves it at some size, and that is not worth a word."""
    edited = compressed(cv2.resize(PHOTO[40:300, 60:420], None, fx=1.4, fy=1.4))
    assert judge(proven(edited, PHOTO)).name == "cropped"


def test_a_quarter_turn_is_a_rotation_and_upside_down_mirrored_is_mirrored():
    """Turning keeps every pixel; so does the mirror with its axis across."""
    assert judge(proven(np.rot90(PHOTO).copy(), PHOTO)).name == "rotated"
    assert judge(proven(PHOTO[::-1].copy(), PHOTO)).name == "mirrored"


def test_another_photograph_of_the_scene_is_no_copy():
    """A camera beside the first one: keypoints fit as those of a copy do, pixels do not."""
    found = judge(proven(from_elsewhere(PHOTO, 3, pixels=14), PHOTO))
    assert (found.name, found.score < IS_COPY) == ("same_scene", True)


def test_keypoints_alone_can_prove_a_copy():
    """An archive without thumbnails still answers."""
    evidence = verify(query(PHOTO), stored(PHOTO, with_thumbnail=False))
    assert evidence is not None
    assert set(measures(evidence)) < {*measures(proven(PHOTO, PHOTO)), "residual"}
    assert judge(evidence).score > IS_COPY


def test_a_regression_adds_weighted_measures():
    """Half where they add up to nothing, and never beyond 0 and 1."""
    regression = Regression({"one": 2.0, "other": -1.0}, 0.5)
    assert regression.probability({"one": 0.25, "other": 1.0}) == 0.5
    assert regression.probability({"one": 1e6, "other": 0.0}) == pytest.approx(1)


def test_strangers_that_bear_one_logo_are_no_copies():
    """Many keypoints lie alike, and nothing else of the two does."""
    logo, photos = scene(7, 120, 90), (scene(1), scene(2))
    for photo in photos:
        photo[250:340, 340:460] = logo
    evidence = verify(query(photos[0]), stored(photos[1]))
    assert evidence is not None
    assert evidence.inliers >= PROVING_INLIERS
    assert not judge(evidence).is_copy
