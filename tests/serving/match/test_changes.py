"""Changes: what was laid over a photo, what was replaced in it, and what only looks like either."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from serving.match.changes import change_inside, changes
from serving.match.description import describe
from serving.match.geometry.added import added, expected
from serving.match.geometry.colours import colours
from serving.match.geometry.shown import unevenness
from serving.match.geometry.softened import softened
from serving.match.verdict import judge
from tests.serving.match.pictures import embedded, proven, scene

PHOTO = scene(1)
HEIGHT, WIDTH = PHOTO.shape[:2]
EVERYWHERE = np.ones((HEIGHT, WIDTH), bool)


def soft_oval(height: int, width: int) -> np.ndarray:
    """A mask from 0 to 1 that fades out."""
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.ellipse(mask, (240, 180), (width // 2, height // 2), 0, 0, 360, 1.0, -1)
    return cv2.GaussianBlur(mask, (0, 0), 8)[..., None]


def with_part_of(photo: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The photo with a soft-edged oval of another picture, as forgers do it."""
    mask = soft_oval(150, 130)
    return (photo * (1 - mask) + other * mask).astype(np.uint8)


def noisy(photo: np.ndarray) -> np.ndarray:
    """The photo with strong grain."""
    grain = np.random.default_rng(0).normal(0, 25, photo.shape)
    return np.clip(photo + grain, 0, 255).astype(np.uint8)


def test_a_part_replaced_by_a_photo_is_an_edit_and_text_is_an_overlay():
    """Both add something; only what is flat, stark or of foreign colours was laid over."""
    forged = proven(with_part_of(PHOTO, np.roll(PHOTO, 150, axis=1)), PHOTO)
    assert (change_inside(forged), judge(forged).name) == ("replaced", "edited")
    lettered = PHOTO.copy()
    cv2.putText(lettered, "BREAKING NEWS", (40, 320), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (255, 255, 255), 5)
    said = proven(lettered, PHOTO)
    assert (change_inside(said), judge(said).name) == ("covered", "overlaid")
    assert "covered" in describe(said, judge(said))
    assert "replaced" in describe(forged, judge(forged))


@pytest.mark.parametrize(
    "edit",
    [
        noisy,
        lambda photo: cv2.GaussianBlur(photo, (0, 0), 2),
        lambda photo: np.clip(photo * 1.6 - cv2.GaussianBlur(photo, (0, 0), 2) * 0.6, 0, 255).astype(np.uint8),
    ],
)
def test_noise_blur_and_sharpening_change_nothing_inside(edit):
    """All three touch every pixel, and none was laid over or recoloured."""
    found = proven(edit(PHOTO), PHOTO)
    assert change_inside(found) == ""
    assert judge(found).name == "reencoded"


def test_solarised_tones_are_expected_and_a_small_box_is_not():
    """Curves are fitted to the colours of both, so that only what they do not explain was added."""
    solarised = np.where(PHOTO > 140, 255 - PHOTO, PHOTO).astype(np.uint8)
    marked = solarised.copy()
    marked[100:110, 200:212] = (255, 0, 255)
    surplus = added(expected(PHOTO, marked, EVERYWHERE), PHOTO, marked) > 40
    assert surplus[102:108, 202:210].mean() > 0.9
    surplus[95:115, 195:217] = False
    assert surplus.mean() < 0.002


def test_a_blurred_background_is_an_edit_and_an_even_blur_is_none():
    """A part lost its sharpness and the rest kept it."""
    mask = soft_oval(300, 260)
    blurred = (PHOTO * mask + cv2.GaussianBlur(PHOTO, (0, 0), 6) * (1 - mask)).astype(np.uint8)
    found = proven(blurred, PHOTO)
    assert (change_inside(found), judge(found).name) == ("blurred", "edited")
    grey = cv2.cvtColor(PHOTO, cv2.COLOR_RGB2GRAY).astype(np.float32)
    assert softened(grey, cv2.GaussianBlur(grey, (0, 0), 1), EVERYWHERE) < 0.05


def test_colours_are_those_of_what_is_not_covered():
    """A red sheet over a sixth changes no colour of the photo; fewer reds all over do."""
    covered = PHOTO.copy()
    covered[:60] = (200, 0, 0)
    assert max(colours(PHOTO, covered, EVERYWHERE)[:2]) < 3
    paler = (PHOTO * np.array([0.6, 1, 1])).astype(np.uint8)
    assert colours(PHOTO, paler, EVERYWHERE)[1] > 5


def test_a_scanned_page_changes_colours_by_itself():
    """Grey beside text that was turned by half a degree is one change, in a page that stands upright it is a second."""
    grey = cv2.cvtColor(cv2.cvtColor(PHOTO, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    page = embedded(grey, top=90, left=60, width=WIDTH + 300, height=HEIGHT + 200)
    assert set(changes(proven(page, PHOTO))) == {"embedded", "recoloured"}
    turn = cv2.getRotationMatrix2D((300, 250), 1.2, 1)
    scanned = cv2.warpAffine(page, turn, page.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    assert judge(proven(scanned, PHOTO)).name == "embedded"


def test_a_photo_in_perspective_is_embedded_only_in_something():
    """Nothing is around a photo that a program warped; there is a desk around a screen."""
    quad = np.array([[40, 30], [440, 10], [470, 350], [20, 320]], np.float32)
    frame = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]], np.float32)
    warped = cv2.warpPerspective(PHOTO, cv2.getPerspectiveTransform(frame, quad), (WIDTH, HEIGHT))
    assert judge(proven(warped, PHOTO)).name == "edited"
    assert unevenness(warped, quad.astype(float)) < 2
    desk = scene(9) // 2
    there = cv2.warpPerspective(np.full_like(PHOTO, 255), cv2.getPerspectiveTransform(frame, quad), (WIDTH, HEIGHT))
    assert judge(proven(np.where(there > 0, warped, desk), PHOTO)).name == "embedded"


def test_a_collage_has_no_banner():
    """What stands beside a photo and is as large as it is another picture."""
    found = proven(np.hstack([PHOTO, scene(2)]), PHOTO)
    assert describe(found, judge(found)) == "a copy of the photo, inside of a larger picture, of which it fills 50 %"


def test_without_pixels_nothing_is_said_of_the_inside():
    """An archive without thumbnails cannot tell."""
    assert change_inside(replace(proven(PHOTO, PHOTO), dense=None)) == ""


def test_nothing_was_added_to_an_overlap_of_a_pixel():
    """Too small an overlap to fit colours to is no error."""
    inside = np.zeros((31, 41), bool)
    inside[15, 20] = True
    photo, query = np.zeros((31, 41, 3), np.uint8), np.full((31, 41, 3), 200, np.uint8)
    assert np.array_equal(expected(photo, query, inside), photo)
