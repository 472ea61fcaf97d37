"""Lettering: colours for grey pictures, text that fits its line, and bars that look like a paragraph."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.edits.lettering import DARK, GREY, LIGHT, draw_text_lines, levels, write_line


def test_a_colour_in_a_grey_picture_is_its_brightness() -> None:
    """Grey stays the level it was; green is brighter than red, and red than blue."""
    assert levels((40, 90, 160), 3) == (40, 90, 160)
    assert [levels(colour, 1) for colour in (DARK, GREY, LIGHT)] == [(24,), (205,), (250,)]
    red, green, blue = (levels(colour, 1)[0] for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255)))
    assert green > red > blue


@settings(deadline=None)
@given(
    width=st.integers(1, 300),
    height=st.integers(1, 60),
    text=st.text("ABCxyz .", max_size=30),
    channels=st.sampled_from((1, 3)),
)
def test_text_stays_on_its_line(width: int, height: int, text: str, channels: int) -> None:
    """Any text on any line: above and below it, but for the thickness of a stroke, nothing is written."""
    image = np.zeros((3 * height + 20, width, channels), np.uint8)
    write_line(image, text, top=height + 10, height=height, left=2, colour=LIGHT)
    assert not image[: height + 5].any()
    assert not image[2 * height + 15 :].any()


@pytest.mark.parametrize("channels", [1, 3])
def test_text_is_as_large_as_line_and_width_allow(channels: int) -> None:
    """The capitals of a short text take a third of the line's height, a long one the width between equal margins."""
    short, long = np.zeros((2, 40, 200, channels), np.uint8)
    write_line(short, "A", top=0, height=40, left=10, colour=LIGHT)
    write_line(long, "A LONG LINE OF WORDS", top=0, height=40, left=10, colour=LIGHT)
    rows, columns = np.nonzero(short[..., 0])
    assert np.ptp(rows) == pytest.approx(40 / 3, abs=2)
    assert columns.min() == pytest.approx(10, abs=2)
    rows, columns = np.nonzero(long[..., 0])
    assert 170 < columns.max() < 190
    assert np.ptp(rows) < 40 / 3
    assert long.max() == LIGHT[0]


def test_without_room_nothing_is_written() -> None:
    """Margins that meet leave the image as it is."""
    image = np.zeros((20, 10, 3), np.uint8)
    write_line(image, "text", top=0, height=20, left=5, colour=LIGHT)
    assert not image.any()


@pytest.mark.parametrize("channels", [1, 3])
def test_bars_stand_for_lines_and_the_last_is_short(channels: int) -> None:
    """Each line is a grey bar with a gap below it; the last one covers three fifths of the width."""
    area = np.full((40, 50, channels), 250, np.uint8)
    draw_text_lines(area, lines=4)
    painted = (area == GREY[0]).all(axis=2)
    np.testing.assert_array_equal(painted[:, 0], [row % 10 < 5 for row in range(40)])
    np.testing.assert_array_equal(painted.sum(axis=1)[::10], [50, 50, 50, 30])
