"""Pages: the photo is whole inside of each, with text around it in the theme's colours."""

import cv2
import numpy as np
import pytest

from tests.photos import scene
from tests.training.edits.plain import OTHER, OTHER_SIZE, THEME
from training.edits.lettering import levels
from training.edits.page import in_article, in_desktop, in_player, in_post, in_search_results

PHOTO = scene(7, width=120, height=80)
PAGES = ["in_article", "in_post", "in_desktop", "in_newspaper", "in_search_results"]


def find(page: np.ndarray, photo: np.ndarray) -> tuple[int, int]:
    """Returns top and left of where the photo lies in the page value for value; fails where it does not."""
    _, _, (left, top), _ = cv2.minMaxLoc(cv2.matchTemplate(page, photo, cv2.TM_SQDIFF))
    np.testing.assert_array_equal(page[top : top + photo.shape[0], left : left + photo.shape[1]], photo)
    return top, left


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_page_holds_the_whole_photo_and_text(name: str, channels: int) -> None:
    """The photo is found value for value; there are paper and dark letters beside it."""
    photo = np.ascontiguousarray(PHOTO[..., :channels])
    page = OTHER_SIZE[name](photo)
    top, left = find(page, photo)
    rest = page.copy()
    rest[top : top + 80, left : left + 120] = 250
    assert (rest == np.array(levels(THEME.paper, channels))).all(axis=2).mean() > 0.2
    assert rest.min() < 90
    assert page.size > photo.size


def test_an_article_is_as_high_as_its_aspect_and_down_moves_the_photo() -> None:
    """A page of 2 to 1; the photo stands low or high in it; margins are beside it."""
    high, low = (in_article(PHOTO, theme=THEME, aspect=2, margin=0.1, down=down) for down in (0, 1))
    assert high.shape == low.shape == (288, 144, 3)
    assert find(high, PHOTO)[1] == find(low, PHOTO)[1] == 12
    assert find(high, PHOTO)[0] < find(low, PHOTO)[0] - 50


def test_a_high_photo_makes_a_higher_page() -> None:
    """Where the page's aspect leaves too little room, the page grows."""
    tall = scene(1, width=60, height=300)
    find(in_article(tall, theme=THEME, aspect=1, margin=0, down=0.5), tall)


def test_comments_make_a_post_longer() -> None:
    """Each takes room below the photo."""
    none, three = (in_post(PHOTO, theme=THEME, comments=comments) for comments in (0, 3))
    assert three.shape[0] > none.shape[0] + 40
    assert find(none, PHOTO) == find(three, PHOTO)


@pytest.mark.parametrize("share", [0.1, 0.4])
@pytest.mark.parametrize(("down", "right"), [(0, 0), (1, 1), (0, 1)])
def test_a_desktop_shows_the_photo_at_its_share_and_place(share: float, down: float, right: float) -> None:
    """A screen of 16:10, so many times as wide as the photo; places are those asked for, with or without wallpaper."""
    screen = in_desktop(PHOTO, theme=THEME, share=share, down=down, right=right, others=[])
    height, width, _ = screen.shape
    assert width / height == pytest.approx(1.6, rel=0.02)
    assert 120 / width == pytest.approx(share, rel=0.02)
    top, left = find(screen, PHOTO)
    assert (left > width / 2) == (right > 0.5)
    assert (top > height / 3) == (down == 1)
    find(in_desktop(PHOTO, theme=THEME, share=share, down=down, right=right, others=[OTHER], wallpaper=OTHER), PHOTO)


def test_a_player_has_black_sides_and_shows_what_was_played() -> None:
    """The frame is 16:9, its sides are black, the played part of the bar has the accent's colour."""
    photo = np.full((180, 200, 3), 200, np.uint8)
    none, half = (in_player(photo, accent=(255, 0, 0), played=share, title="", is_paused=False) for share in (0, 0.5))
    assert half.shape == (180, 320, 3)
    assert not half[90, :59].any()
    assert not (none == (255, 0, 0)).all(axis=2).any()
    reds = np.nonzero((half == (255, 0, 0)).all(axis=2))[1]
    assert (reds.min(), reds.max()) == (pytest.approx(9, abs=2), pytest.approx(160, abs=3))
    paused = in_player(photo, accent=(255, 0, 0), played=0, title="", is_paused=True)
    assert (paused[80:100, 150:170] == (250, 250, 250)).all(axis=2).any()


def test_the_photo_has_its_row_among_the_results() -> None:
    """Row by row, other photos or grey boxes in the other rows."""
    tops = [
        find(in_search_results(PHOTO, theme=THEME, others=others, rows=4, place=place, share=0.4), PHOTO)[0]
        for others, place in (([], 0), ([OTHER], 1), ([OTHER], 3))
    ]
    assert tops == [8, 104, 296]
