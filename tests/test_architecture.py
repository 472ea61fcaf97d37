"""The picture of the architecture: it is the one of this source, and no arrow goes up."""

import pytest

from docs.architecture import BOXES, PICTURE, count_imports, draw


def test_the_picture_shows_the_source_as_it_is():
    """A new part or a new import is drawn by `python -m docs.architecture`."""
    assert PICTURE.read_text(encoding="utf-8") == draw()


@pytest.mark.parametrize(("start", "end"), sorted(count_imports()))
def test_every_arrow_goes_down(start: str, end: str):
    """What a package imports is drawn below it."""
    assert BOXES[end].top >= BOXES[start].bottom
