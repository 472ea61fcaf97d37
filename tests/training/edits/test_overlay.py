"""Captions, boxes, memes, watermarks, shapes: what they cover, and that the rest stays."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import UsageError
from tests.photos import scene
from tests.training.edits.strategies import photos
from training.edits.hide import Region
from training.edits.lettering import DARK
from training.edits.overlay import (
    SHAPES,
    overlay_box,
    overlay_caption,
    overlay_label,
    overlay_meme,
    overlay_shape,
    overlay_watermark,
)

PHOTO = scene(7, width=120, height=80)
BOX = {"top": 0, "left": 0, "height": 10, "width": 10, "colour": (0,)}


@settings(deadline=None)
@given(photo=photos(), share=st.floats(0, 1))
def test_a_caption_covers_the_lower_edge_only(photo: np.ndarray, share: float) -> None:
    """Above the bar nothing changes; the same text and share give the same; the photo itself stays."""
    before = photo.copy()
    captioned = overlay_caption(photo, text="WORDS", share=share)
    np.testing.assert_array_equal(captioned, overlay_caption(photo, text="WORDS", share=share))
    np.testing.assert_array_equal(photo, before)
    assert (captioned.shape, captioned.dtype) == (photo.shape, np.uint8)
    bar = max(1, round(len(photo) * share))
    np.testing.assert_array_equal(captioned[:-bar], photo[:-bar])
    assert captioned[-bar:].min() >= DARK[0]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_caption_is_light_text_on_a_dark_bar(channels: int) -> None:
    """Bar and letters are there, and another text gives another photo."""
    photo = PHOTO[..., :channels]
    captioned = overlay_caption(photo, text="WORDS", share=0.14)
    assert captioned[-11:].min() == DARK[0]
    assert captioned[-11:].max() > 200
    assert not np.array_equal(captioned, overlay_caption(photo, text="OTHER", share=0.14))


@settings(deadline=None)
@given(data=st.data(), photo=photos())
def test_a_box_covers_its_place_and_nothing_else(data: st.DataObject, photo: np.ndarray) -> None:
    """Any box inside any photo: inside it there is its colour, outside it the photo, which itself stays."""
    before = photo.copy()
    height, width = (data.draw(st.integers(0, side)) for side in photo.shape[:2])
    top, left = data.draw(st.integers(0, len(photo) - height)), data.draw(st.integers(0, photo.shape[1] - width))
    colour = data.draw(st.lists(st.integers(0, 255), min_size=photo.shape[2], max_size=photo.shape[2]))
    covered = overlay_box(photo, top=top, left=left, height=height, width=width, colour=colour)
    np.testing.assert_array_equal(photo, before)
    rows, columns = np.indices(photo.shape[:2])
    inside = (rows >= top) & (rows < top + height) & (columns >= left) & (columns < left + width)
    assert (covered[inside] == colour).all()
    np.testing.assert_array_equal(covered[~inside], photo[~inside])
    assert (covered.dtype, inside.sum()) == (np.uint8, height * width)


def test_one_level_stands_for_all_channels() -> None:
    """A box of a single level is grey in a colour photo."""
    covered = overlay_box(PHOTO, **{**BOX, "colour": (128,)})
    assert (covered[:10, :10] == 128).all()


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda: overlay_caption(PHOTO, text="WORDS", share=1.1), r"share is 1\.1; expected 0 to 1"),
        (lambda: overlay_box(PHOTO, **{**BOX, "height": 81}), "height is 81; expected 0 to 80"),
        (lambda: overlay_box(PHOTO, **{**BOX, "width": -1}), "width is -1; expected 0 to 120"),
        (lambda: overlay_box(PHOTO, **{**BOX, "top": 71}), "top is 71; expected 0 to 70"),
        (lambda: overlay_box(PHOTO, **{**BOX, "left": 111}), "left is 111; expected 0 to 110"),
        (lambda: overlay_box(PHOTO, **{**BOX, "colour": (0, 256, 0)}), "colour is 256; expected 0 to 255"),
    ],
)
def test_parameters_out_of_bounds_are_refused(edit: Callable[[], np.ndarray], message: str) -> None:
    """A bar or a box that does not lie inside the photo is a usage error that names the bounds."""
    with pytest.raises(UsageError, match=message):
        edit()


def test_a_meme_has_white_letters_with_black_outlines_at_both_ends() -> None:
    """Above and below there is black and white, the middle is the photo, other words are other letters."""
    grey = np.full((120, 200, 3), 128, np.uint8)
    written = overlay_meme(grey, above="ABOVE", below="BELOW", share=0.2, typeface="bold")
    for part in (written[:30], written[-30:]):
        assert (part.min(), part.max()) == (0, 255)
    assert (written[40:80] == 128).all()
    assert np.any(written != overlay_meme(grey, above="ABOVE", below="OTHER", share=0.2, typeface="bold"))


@pytest.mark.parametrize("tiled", [False, True])
def test_a_watermark_lets_the_photo_through(tiled: bool) -> None:
    """No value moves by more than the opacity allows; tiled it is everywhere, otherwise across the middle."""
    grey = np.full((120, 200, 3), 100, np.uint8)
    look = {"text": " mark ", "degrees": 20, "share": 0.1 if tiled else 0.5, "colour": (255, 255, 255), "tiled": tiled}
    marked = overlay_watermark(grey, opacity=0.4, **look)
    assert (marked.min(), marked.max()) == (100, pytest.approx(162, abs=8))
    corners = [marked[top : top + 30, left : left + 40].max() > 130 for top in (0, 90) for left in (0, 160)]
    assert all(corners) if tiled else not any(corners)
    np.testing.assert_array_equal(overlay_watermark(grey, opacity=0, **look), grey)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_a_stroke_inside_its_region(shape: str) -> None:
    """Something is drawn in its colour, little beyond the region, and its region is not filled."""
    drawn = overlay_shape(
        PHOTO * 0, shape=shape, region=Region(0.25, 0.25, 0.5, 0.5), thickness=0.03, colour=(255, 0, 0)
    )
    red = drawn[..., 0] > 128
    assert 30 < red[20:60, 30:90].sum() < 900
    red[14:66, 20:100] = False
    assert not red.any()


def test_a_label_is_a_box_of_text() -> None:
    """The region is paper with ink on it, everything else the photo."""
    paper, ink = (250, 250, 250), (20, 20, 20)
    place = Region(0.5, 0.25, 0.5, 0.5)
    labelled = overlay_label(PHOTO, text="some words", region=place, line=0.25, paper=paper, ink=ink, typeface="plain")
    box = labelled[40:, 30:90]
    assert (box[-1, -1].tolist(), bool((box < 90).all(axis=2).any())) == ([250] * 3, True)
    labelled[40:, 30:90] = PHOTO[40:, 30:90]
    np.testing.assert_array_equal(labelled, PHOTO)
