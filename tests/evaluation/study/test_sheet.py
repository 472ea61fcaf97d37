"""Contact sheets: photos at their places, words beside them, marks on answers, and nothing over anything else."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from evaluation.study.picture import CHART_COLOURS, INK, image_png, shortened
from evaluation.study.sheet import (
    FRAME,
    GAP,
    LINE_HEIGHT,
    MARGIN,
    RIGHT,
    SPACE,
    TILE,
    WRONG,
    Heading,
    Row,
    Tile,
    _columns,
    _scaled_side,
    draw_sheet,
)

RED = np.broadcast_to(np.array([255, 0, 0], np.uint8), (28, 28, 3))


def pixels(png: bytes) -> np.ndarray:
    """Returns the picture as uint8 [height, width, 3]."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def rgb(colour: str) -> list[int]:
    """Returns a colour's three values."""
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def where(sheet: np.ndarray, colour: list[int]) -> tuple[int, int, int, int]:
    """Returns top, left, bottom and right of all pixels of that colour."""
    rows, columns = np.nonzero((sheet == colour).all(axis=2))
    return int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1


@pytest.mark.parametrize(("side", "scaled"), [(8, 56), (28, 56), (32, 64), (56, 56), (64, 64), (200, 200)])
def test_photos_are_enlarged_by_whole_numbers(side, scaled):
    """To about a tile; larger ones stay as they are."""
    assert _scaled_side(np.zeros((side, side, 1))) == scaled
    assert scaled % side == 0


def test_a_tile_stands_where_its_column_begins():
    """Its photo is whole, and its size that of the tile."""
    top, left, bottom, right = where(pixels(draw_sheet([Row([], [Tile(RED)])])), [255, 0, 0])
    assert (top, left) == (MARGIN, MARGIN)
    assert (bottom - top, right - left) == (TILE, TILE)


def test_rows_and_headings_stand_below_each_other():
    """A row is as high as its photos, a heading as its letters."""
    one, two = (pixels(draw_sheet([Row([], [Tile(RED)])] * count)) for count in (1, 2))
    headed = pixels(draw_sheet([Heading("words"), Row([], [Tile(RED)])]))
    assert len(two) - len(one) == TILE + SPACE
    assert where(headed, [255, 0, 0])[0] - MARGIN == LINE_HEIGHT + 8
    assert where(headed, rgb(INK))[2] <= where(headed, [255, 0, 0])[0]


@pytest.mark.parametrize(("right", "colour"), [(True, RIGHT), (False, WRONG)])
def test_an_answer_is_framed_around_its_photo(right, colour):
    """The frame surrounds the photo on all sides; the mark lies in its upper right corner."""
    black = np.zeros((28, 28, 3), np.uint8)
    sheet = pixels(draw_sheet([Row([], [Tile(black, right)])]))
    top, left, bottom, rightmost = where(sheet, rgb(colour))
    assert (top, left, bottom, rightmost) == (
        *(MARGIN - FRAME, MARGIN - FRAME, MARGIN + TILE + FRAME, MARGIN + TILE + FRAME),
    )
    corner = sheet[MARGIN : MARGIN + 11, MARGIN + TILE - 11 : MARGIN + TILE]
    assert (corner == 255).all(axis=2).any()
    assert (sheet[MARGIN + 20 : MARGIN + TILE, MARGIN : MARGIN + TILE] == 0).all()


def test_ticks_and_crosses_differ_without_colour():
    """Who sees no colours sees which answers are right."""
    black = np.zeros((28, 28, 3), np.uint8)
    marks = [pixels(draw_sheet([Row([], [Tile(black, right)])]))[:24, -40:] == 255 for right in (True, False)]
    assert (marks[0].all(axis=2) != marks[1].all(axis=2)).sum() > 5


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=6), min_size=1, max_size=4), st.integers(0, 200))
def test_columns_do_not_overlap(filled, left):
    """A column with photos is as wide as one, with its space; one that no row fills is a narrow gap."""
    rows = [Row([], [Tile(RED) if is_filled else None for is_filled in row]) for row in filled]
    starts = _columns(rows, TILE, left)
    assert starts[0] == left
    assert len(starts) == 1 + max(len(row) for row in filled)
    for column, width in enumerate(np.diff(starts)):
        is_filled = any(column < len(row) and row[column] for row in filled)
        assert width == (TILE + SPACE if is_filled else GAP)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text("abcdefgh mw", min_size=1, max_size=40), min_size=1, max_size=3))
def test_words_never_run_into_photos(words):
    """However long they are: all of their ink lies left of the first tile."""
    sheet = pixels(draw_sheet([Row(words, [Tile(RED)])]))
    first = where(sheet, [255, 0, 0])[1]
    assert (sheet[:, first - 6 : first - 1] == 255).all()
    inked = (sheet[:, :first] < 100).all(axis=2)
    assert inked.any() == bool("".join(words).strip())


@given(st.text(min_size=0, max_size=30), st.integers(2, 30))
def test_shortened_words_have_room(words, most):
    """Never longer than allowed, the same where they fit, and a beginning of them otherwise."""
    short = shortened(words, most)
    assert len(short) <= most
    assert short == words or (short[-1] == "…" and words.startswith(short[:-1]))


def test_a_palette_keeps_colours_apart():
    """A picture with few colours is the same with a palette, and smaller."""
    image = Image.fromarray(np.repeat(np.random.default_rng(0).integers(0, 4, (40, 40, 1), np.uint8) * 80, 3, axis=2))
    small, whole = image_png(image, colours=CHART_COLOURS), image_png(image, colours=None)
    np.testing.assert_array_equal(pixels(small), pixels(whole))
    assert len(small) < len(whole)
