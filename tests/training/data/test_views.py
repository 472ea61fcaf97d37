"""Views of a photo: two that differ, drawn from the seed alone, of the size that the encoder sees."""

import numpy as np
import pytest

from tests.photos import scene
from training.data.views import LATE, cut, draw_edit, draw_views, squeezed, unsqueezed
from training.edits import kinds


def square(seed: int = 0, channels: int = 3) -> np.ndarray:
    """A photo as the cache holds it."""
    return squeezed(scene(seed), size=64, channels=channels)


def others() -> list[np.ndarray]:
    """A few other photos."""
    return [unsqueezed(square(seed), np.random.default_rng(seed)) for seed in range(1, 5)]


@pytest.mark.parametrize("channels", [1, 3])
def test_two_views_of_the_encoders_size(channels):
    """Whatever an edit makes of the photo, in colour or grey, the encoder gets its squares."""
    grey_or_colour = [unsqueezed(square(9, channels), np.random.default_rng(9))]
    for seed in range(20):
        views = draw_views(square(channels=channels), grey_or_colour, np.random.default_rng(seed), size=32)
        assert (views.shape, views.dtype) == ((2, 32, 32, channels), np.uint8)


def test_the_generator_decides():
    """The same state gives the same views, another one others; the views of a pair differ."""
    first, again, different = (
        draw_views(square(), others(), np.random.default_rng(seed), size=32) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, different)
    assert not np.array_equal(first[0], first[1])


def test_the_first_view_is_nearly_the_photo(monkeypatch):
    """An archive holds photos as they were published: apart from a cut and a new compression nothing is done to it."""
    monkeypatch.setattr("training.data.views.CUT_SHARE", 0)
    photo = squeezed(square(), size=32, channels=3).astype(float)
    for seed in range(10):
        archived = draw_views(square(), others(), np.random.default_rng(seed), size=32)[0].astype(float)
        errors = [np.abs(archived - view).mean() for view in (photo, photo[:, ::-1])]
        assert min(errors) < 10


def test_every_kind_of_edit_is_drawn(monkeypatch):
    """Common and hard ones, alone and in chains."""
    drawn, lengths = set(), set()
    draw, draw_chain = kinds.draw, kinds.draw_chain

    def watch(kind, *rest):
        drawn.add(kind)
        return draw(kind, *rest)

    def watch_chain(*rest, length):
        lengths.add(length)
        return draw_chain(*rest, length=length)

    monkeypatch.setattr(kinds, "draw", watch)
    monkeypatch.setattr(kinds, "draw_chain", watch_chain)
    generator, beside = np.random.default_rng(0), others()
    for _ in range(2500):
        draw_edit(generator, beside)
    assert drawn == set(kinds.KINDS)
    assert set(LATE) < drawn
    assert lengths == {2, 3}


def test_aspects_are_drawn_and_pixels_stay():
    """Landscapes and portraits, of about as many pixels as the square."""
    shapes = [unsqueezed(square(), np.random.default_rng(seed)).shape for seed in range(40)]
    assert len({width > height for height, width, _ in shapes}) == 2
    assert all(abs(height * width - 64 * 64) < 150 for height, width, _ in shapes)


def test_cuts_are_parts_of_the_photo_or_of_its_mirror_image():
    """No side is shorter than three fifths; some are the whole photo."""
    photo = square()
    cuts = [cut(photo, np.random.default_rng(seed)) for seed in range(60)]
    assert min(min(piece.shape[:2]) for piece in cuts) >= round(0.6 * 64)
    assert any(np.array_equal(piece, photo) for piece in cuts)
    assert any(np.array_equal(piece, photo[:, ::-1]) for piece in cuts)
    assert len({piece.shape for piece in cuts}) > 20
