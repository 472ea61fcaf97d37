"""Verification: what is found of a photo in a query, where it lies there, and what is not found."""

import cv2
import numpy as np
import pytest

from serving.match.evidence import Evidence, View
from serving.match.geometry.transform import apply
from serving.match.verify import verify
from tests.serving.match.pictures import embedded, from_elsewhere, proven, query, scene, stored, turned, verified

PHOTO = scene(1)
HEIGHT, WIDTH = PHOTO.shape[:2]
POINTS = np.array([[150, 110], [330, 110], [330, 250], [150, 250], [240, 180]], float)


def off(evidence: Evidence, points: np.ndarray, expected: np.ndarray) -> float:
    """How many pixels of the photo the transform is off, at the worst of some points of the query."""
    return float(np.linalg.norm(apply(evidence.transform, points) - expected, axis=1).max())


def test_the_photo_itself_agrees_all_over():
    """The whole frame, no turn, no change of size, no difference."""
    found = proven(PHOTO, PHOTO)
    assert (found.model, found.view) == ("similarity", View())
    assert found.dense
    assert found.agreement == 1
    assert found.dense.differing < 0.005
    assert found.dense.tone < 2
    assert (found.query_overlap, found.photo_overlap) == pytest.approx((1, 1), abs=0.01)
    assert off(found, POINTS, POINTS) < 0.3


def test_a_crop_is_placed_to_the_pixel():
    """The transform leads from the crop to where it was cut out, at full size of both."""
    found = proven(PHOTO[60:300, 120:440], PHOTO)
    assert off(found, POINTS - (120, 60), POINTS) < 0.5
    assert found.query_overlap == pytest.approx(1, abs=0.01)
    assert found.photo_overlap == pytest.approx(240 * 320 / (HEIGHT * WIDTH), abs=0.01)


def test_a_mirrored_photo_is_found_and_its_transform_mirrors():
    """A mirrored query needs no features of its own, and its transform has the mirror in it."""
    found = proven(PHOTO[:, ::-1].copy(), PHOTO)
    assert found.is_mirrored
    assert not found.is_inverted
    assert off(found, POINTS, np.stack([WIDTH - 1 - POINTS[:, 0], POINTS[:, 1]], axis=1)) < 0.5
    assert (found.agreement, found.model, abs(found.rotation) < 0.5) == (1, "similarity", True)


def test_a_negative_is_found():
    """Inverted colours are a view of the query, and the pixels agree once it is turned back."""
    found = proven(255 - PHOTO, PHOTO)
    assert found.is_inverted
    assert not found.is_mirrored
    assert found.agreement > 0.95


@pytest.mark.parametrize("degrees", [8, 45, 90, 180])
def test_a_turned_photo_tells_by_how_much(degrees: int):
    """Degrees are clockwise, as one sees it, and keypoints follow any turn."""
    found = proven(turned(PHOTO, degrees), PHOTO)
    assert abs((found.rotation - degrees + 180) % 360 - 180) < 0.3
    assert found.agreement > 0.95


@pytest.mark.parametrize("share", [0.25, 0.5, 2.5])
def test_a_resized_photo_tells_its_scale(share: float):
    """One pixel of a query half as large is two of the photo, and corners still meet corners."""
    resized = cv2.resize(
        PHOTO, None, fx=share, fy=share, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC
    )
    found = proven(resized, PHOTO)
    assert found.scale == pytest.approx(1 / share, rel=0.01)
    assert off(found, (POINTS + 0.5) * share - 0.5, POINTS) < 1


def test_the_difference_map_is_hot_where_something_was_laid_over():
    """The map lies on the thumbnail: 256 pixels for the photo's longer side."""
    edited = PHOTO.copy()
    edited[200:280, 100:260] = (250, 240, 20)
    found = proven(edited, PHOTO)
    assert found.dense
    scale = 256 / WIDTH
    inside = found.dense.difference[int(215 * scale) : int(265 * scale), int(115 * scale) : int(245 * scale)]
    elsewhere = found.dense.difference[: int(180 * scale)]
    assert inside.min() > 0.5
    assert elsewhere.max() < 0.3
    assert found.dense.differing == pytest.approx(80 * 160 / (HEIGHT * WIDTH), abs=0.03)
    assert off(found, POINTS, POINTS) < 0.3


def test_changed_tones_and_compression_are_no_difference():
    """A brighter, flatter, badly compressed copy agrees, and its change of tone is measured."""
    pale = np.clip(PHOTO * 0.6 + 90, 0, 255).astype(np.uint8)
    coded = cv2.imdecode(cv2.imencode(".jpg", pale, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR)
    found = proven(coded, PHOTO)
    assert found.agreement > 0.95
    assert found.dense
    assert found.dense.differing < 0.02
    assert found.dense.tone > 20


def test_every_photo_of_a_collage_is_found_by_itself():
    """Two photos beside each other: each fills its half, and lies where it was put."""
    other = scene(2)
    collage = np.hstack([PHOTO, other])
    left, right = proven(collage, PHOTO), proven(collage, other)
    assert max(off(left, POINTS, POINTS), off(right, POINTS + np.array([WIDTH, 0]), POINTS)) < 0.5
    for found in (left, right):
        assert (found.query_overlap, found.photo_overlap) == pytest.approx((0.5, 1), abs=0.01)


def test_a_photo_that_was_cropped_and_pasted_shows_how_much_of_it_is_there():
    """The map alone would say that the page goes on as the photo: what is shown ends where pixels stop to agree."""
    page = embedded(PHOTO[:, :240], top=200, left=300, width=1100, height=800)
    found = proven(page, PHOTO)
    assert found.photo_overlap > 0.95
    assert found.dense
    assert found.dense.photo_shown == pytest.approx(0.5, abs=0.06)


def test_a_photographed_screen_is_a_perspective():
    """Of all edits this one alone leaves a perspective."""
    quad = np.array([[70, 40], [560, 10], [590, 420], [30, 440]], np.float32)
    frame = np.array([[0, 0], [WIDTH - 1, 0], [WIDTH - 1, HEIGHT - 1], [0, HEIGHT - 1]], np.float32)
    view = cv2.warpPerspective(PHOTO, cv2.getPerspectiveTransform(frame, quad), (640, 480))
    found = proven(view, PHOTO)
    assert found.model == "perspective"
    assert found.agreement > 0.95
    assert off(found, quad.astype(float), frame.astype(float)) < 1.5


def test_a_camera_beside_leaves_displacements_that_no_map_explains():
    """Near and far move apart: places lie pixels off, those of a copy a fraction of one."""
    copy, other = proven(turned(PHOTO, 3), PHOTO), proven(from_elsewhere(PHOTO, 3), PHOTO)
    assert copy.dense
    assert other.dense
    assert copy.dense.displacement < 0.15
    assert copy.dense.parallax < 0.1
    assert other.dense.displacement > 0.5
    assert other.dense.parallax > 0.3


def test_strangers_have_no_evidence():
    """Another picture has no keypoints that lie alike."""
    assert verified(scene(7), PHOTO) is None


@pytest.mark.parametrize("size", [(40, 30), (1, 1), (300, 200)])
def test_blank_pictures_have_no_evidence(size: tuple[int, int]):
    """Photos without any feature are compared with none, on either side."""
    blank = np.full((size[1], size[0], 3), 128, np.uint8)
    assert verified(blank, PHOTO) is None
    assert verified(PHOTO, blank) is None
    assert verified(blank, blank) is None


def test_a_query_of_forty_pixels_is_compared():
    """So small a query has few keypoints; whatever is found of it is right."""
    small = cv2.resize(PHOTO, (40, 30), interpolation=cv2.INTER_AREA)
    found = verified(small, PHOTO)
    assert found is None or off(found, np.array([[19.5, 14.5]]), np.array([[239.5, 179.5]])) < 12


def test_a_part_of_a_panorama_is_found():
    """A photo of 4000 × 300 pixels has a thumbnail of 256 × 19: no room for blocks, but its keypoints are right."""
    panorama = scene(5, 4000, 300)
    found = proven(panorama, panorama)
    assert found.query_overlap > 0.97
    assert off(found, POINTS, POINTS) < 6
    part = verified(panorama[:, 1500:2300].copy(), panorama)
    assert part is None or off(part, POINTS, POINTS + np.array([1500, 0])) < 12


def test_without_a_thumbnail_keypoints_speak_alone():
    """An archive may keep no thumbnails: then nothing is said about pixels."""
    found = verify(query(PHOTO[40:320, 60:420].copy()), stored(PHOTO, with_thumbnail=False))
    assert found is not None
    assert found.dense is None
    assert found.agreement == 0
    assert off(found, POINTS - (60, 40), POINTS) < 2


def test_only_views_that_are_asked_for_are_tried():
    """Whoever knows from the search which view was found saves the others."""
    mirrored = query(PHOTO[:, ::-1].copy())
    straight = verify(mirrored, stored(PHOTO), views=(View(),))
    # A few keypoints lie alike by chance.
    assert straight is None or straight.inliers < 6
    found = verify(mirrored, stored(PHOTO), views=(View(is_mirrored=True),))
    assert found is not None
    assert found.inliers > 60
