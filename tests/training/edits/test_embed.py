"""Screenshots: the whole photo lies unchanged inside a page."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings

from tests.photos import scene
from tests.training.edits.strategies import photos
from training.edits.embed import TITLE_BAR, embed_in_screenshot
from training.edits.lettering import GREY, LIGHT, levels

PHOTO = scene(7, width=120, height=80)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_screenshot_holds_the_whole_photo(channels: int) -> None:
    """The photo is found in the page value for value, with much of the page above and below it."""
    photo = np.ascontiguousarray(PHOTO[..., :channels])
    page = embed_in_screenshot(photo, title="Seen?")
    _, _, (left, top), _ = cv2.minMaxLoc(cv2.matchTemplate(page, photo, cv2.TM_SQDIFF))
    np.testing.assert_array_equal(page[top : top + 80, left : left + 120], photo)
    assert page.shape[0] > 80 * 1.5


@settings(deadline=None)
@given(photo=photos())
def test_any_photo_fits(photo: np.ndarray) -> None:
    """The page is larger on all sides, has as many channels and repeats itself; the photo itself stays."""
    before = photo.copy()
    page = embed_in_screenshot(photo, title="Seen?")
    np.testing.assert_array_equal(page, embed_in_screenshot(photo, title="Seen?"))
    np.testing.assert_array_equal(photo, before)
    assert (page.dtype, page.shape[2]) == (np.uint8, photo.shape[2])
    assert page.shape[0] >= photo.shape[0] + 6
    assert page.shape[1] >= photo.shape[1] + 2


@pytest.mark.parametrize("channels", [1, 3])
def test_a_page_has_a_title_and_text_on_light_paper(channels: int) -> None:
    """Title bar, paper and lines of text have their colours; another title gives another page."""
    page = embed_in_screenshot(PHOTO[..., :channels], title="Seen?")
    assert tuple(page[0, 0]) == tuple(levels(TITLE_BAR, channels))
    assert tuple(page[-1, 0]) == tuple(levels(LIGHT, channels))
    assert (page[-28:] == GREY[0]).all(axis=2).any()
    assert not np.array_equal(page, embed_in_screenshot(PHOTO[..., :channels], title="Other"))
