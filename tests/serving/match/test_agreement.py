"""Agreement of pixels: what is said of overlaps so small that there is hardly anything to compare."""

import numpy as np
import pytest

from serving.match.geometry.agreement import agree
from serving.match.geometry.alignment import Comparison
from serving.match.geometry.guesses import resemblance
from tests.serving.match.pictures import scene

HEIGHT, WIDTH = 60, 80
PHOTO, OTHER = scene(1, WIDTH, HEIGHT), scene(2, WIDTH, HEIGHT)
NOTHING, MIDDLE = slice(0, 0), slice(31, 32)
ALL = slice(None)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [(NOTHING, NOTHING), (MIDDLE, MIDDLE), (MIDDLE, ALL), (ALL, MIDDLE), (slice(0, 2), slice(0, 2))],
    ids=["nothing", "a pixel", "a row", "a column", "a corner"],
)
def test_an_overlap_without_room_for_a_block_proves_nothing(rows: slice, columns: slice):
    """No block fits into it, so that none agrees; the map of differences has numbers in the overlap alone."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[rows, columns] = 255
    said = agree(Comparison(PHOTO, OTHER, mask))
    assert (said.blocks, said.agreement, said.look_of_added) == (0, 0, {})
    assert np.array_equal(np.isnan(said.difference), mask == 0)
    assert -1 <= resemblance(Comparison(PHOTO, OTHER, mask)) <= 1.01
