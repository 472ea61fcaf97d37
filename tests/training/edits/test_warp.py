"""Rotation without corners, shear, perspective and lens: points go where the parameters say."""

import cv2
import numpy as np
import pytest

from tests.photos import scene
from training.edits.geometry import crop_at, flip, mirror, resize_to, rotate, stretch
from training.edits.warp import bend, rotate_inside, shear, tilt

PHOTO = scene(7, width=120, height=80)


@pytest.mark.parametrize("degrees", [-170, -12, 3, 45, 100])
@pytest.mark.parametrize(("height", "width"), [(80, 120), (120, 60), (50, 50)])
def test_nothing_uncovered_is_kept(degrees: int, height: int, width: int) -> None:
    """What is kept has the photo's aspect and shows only what the photo showed."""
    photo = scene(7, width=width, height=height)
    kept = rotate_inside(photo, degrees=degrees)
    assert kept.shape[0] / kept.shape[1] == pytest.approx(height / width, rel=0.05)
    black = rotate(np.full_like(photo, 255), degrees=degrees)
    top, left = ((outer - inner) // 2 for outer, inner in zip(black.shape, kept.shape, strict=True) if outer != 3)
    part = black[top : top + kept.shape[0], left : left + kept.shape[1]]
    # The outermost pixel may be mixed with what lies beyond.
    assert part[1:-1, 1:-1].min() > 200


@pytest.mark.parametrize(("degrees", "turns"), [(0, 0), (90, 1), (-90, 3), (180, 2)])
def test_quarter_turns_keep_everything(degrees: int, turns: int) -> None:
    """Where no corner is uncovered nothing is cropped."""
    np.testing.assert_array_equal(rotate_inside(PHOTO, degrees=degrees), np.rot90(PHOTO, turns))


def test_a_shear_moves_rows_sideways() -> None:
    """With 0.5 to the right a row 20 below the middle moves by 10; the middle stays."""
    photo = np.zeros((81, 121, 1), np.uint8)
    photo[:, 60] = 255
    sheared = shear(photo, right=0.5, down=0)[..., 0]
    assert [int(sheared[row].argmax()) for row in (20, 40, 60)] == [50, 60, 70]
    down = shear(photo.transpose(1, 0, 2).copy(), right=0, down=0.5)[..., 0]
    assert [int(down[:, column].argmax()) for column in (20, 40, 60)] == [50, 60, 70]


def test_corners_go_to_their_places() -> None:
    """White in perspective is white between the four corners and black beyond."""
    corners = [(0.25, 0.25), (0.75, 0.1), (0.9, 0.9), (0.1, 0.75)]
    tilted = tilt(np.full((100, 200, 3), 255, np.uint8), corners=corners)[..., 0]
    outline = (np.array(corners) * (200, 100)).astype(np.float32)
    for y, x in np.random.default_rng(0).integers(0, (100, 200), (300, 2)).tolist():
        distance = cv2.pointPolygonTest(outline, (float(x), float(y)), True)
        if abs(distance) > 2:
            assert tilted[y, x] == (255 if distance > 0 else 0)


def test_a_lens_moves_points_along_their_radius() -> None:
    """What is half-way to the edge moves outwards either way, since no corner may be uncovered; 0 changes nothing."""
    photo = np.zeros((101, 101, 1), np.uint8)
    photo[48:53, 73:78] = 255
    places = [np.nonzero(bend(photo, strength=strength))[1].mean() for strength in (-0.3, 0, 0.3)]
    assert places[1] == pytest.approx(75, abs=0.5)
    assert places[0] > 75.5
    assert places[2] > 76
    np.testing.assert_array_equal(bend(photo, strength=0), photo)


def test_a_part_lies_where_it_is_said_to() -> None:
    """0 and 0 is the upper left corner, 1 and 1 the lower right."""
    np.testing.assert_array_equal(crop_at(PHOTO, height=0.5, width=0.25, down=0, right=0), PHOTO[:40, :30])
    np.testing.assert_array_equal(crop_at(PHOTO, height=0.5, width=0.25, down=1, right=1), PHOTO[40:, 90:])
    np.testing.assert_array_equal(crop_at(PHOTO, height=1, width=1, down=0.3, right=0.3), PHOTO)


def test_sizes_follow_their_parameters() -> None:
    """The longer side is as long as stated; stretching changes the aspect and hardly the area."""
    assert resize_to(PHOTO, longest=60).shape == (40, 60, 3)
    assert resize_to(PHOTO.transpose(1, 0, 2).copy(), longest=240).shape == (240, 160, 3)
    height, width, _ = stretch(PHOTO, aspect=1.5).shape
    assert width / height == pytest.approx(1.5 * 1.5, rel=0.02)
    assert height * width == pytest.approx(80 * 120, rel=0.03)


def test_flipped_is_mirrored_and_turned_around() -> None:
    """Top and bottom exchanged is left and right exchanged after a half turn."""
    np.testing.assert_array_equal(flip(PHOTO), mirror(rotate(PHOTO, degrees=180)))
