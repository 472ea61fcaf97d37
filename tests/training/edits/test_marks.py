"""Stickers: logos, stamps and emojis are drawn, turned, and laid where they belong."""

import numpy as np
import pytest

from training.edits.marks import EMOJIS, LOGOS, Sticker, emoji, lay, logo, stamp, turned

PHOTO = np.full((100, 160, 3), 100, np.uint8)


def test_every_sticker_is_another_picture() -> None:
    """Signs and emojis have colours and a mask of one size, and no two are equal."""
    signs = [logo(shape, text="AB", colour=(200, 0, 0), ink=(255, 255, 255)) for shape in LOGOS]
    stickers = [*signs, *map(emoji, EMOJIS), stamp("FALSE", colour=(200, 0, 0), degrees=0)]
    assert all(sticker.colours.shape == (*sticker.mask.shape, 3) and sticker.mask.any() for sticker in stickers)
    assert len({sticker.mask.tobytes() + sticker.colours.tobytes() for sticker in stickers}) == len(stickers)


@pytest.mark.parametrize("shape", LOGOS)
def test_letters_are_part_of_a_sign(shape: str) -> None:
    """Other letters make another sign, long ones fit in, and their ink is to be seen."""
    signs = [logo(shape, text=text, colour=(200, 0, 0), ink=(0, 255, 0)) for text in ("A", "B", "LETTERS OF A SIGN")]
    for sign in signs:
        assert ((sign.colours == (0, 255, 0)).all(axis=2) & (sign.mask == 255)).any()
    assert (
        signs[0].mask.shape != signs[1].mask.shape or np.any(signs[0].colours != signs[1].colours) or shape == "words"
    )


@pytest.mark.parametrize(("down", "right"), [(0.5, 0.5), (0, 0), (1, 0.2)])
def test_a_sticker_lies_around_its_place(down: float, right: float) -> None:
    """Its middle is there, its longer side is the stated share of the photo's shorter one; the rest stays."""
    square = Sticker(np.full((10, 10, 3), 255, np.uint8), np.full((10, 10), 255, np.uint8))
    laid = lay(PHOTO, square, down=down, right=right, size=0.3, opacity=1)
    rows, columns = np.indices(PHOTO.shape[:2])
    inside = (np.abs(rows + 0.5 - down * 100) < 15) & (np.abs(columns + 0.5 - right * 160) < 15)
    np.testing.assert_array_equal(laid[..., 0], np.where(inside, 255, 100))
    half = lay(PHOTO, square, down=0.5, right=0.5, size=0.3, opacity=0.5)
    assert half[50, 80, 0] == pytest.approx(178, abs=2)


def test_a_turned_sticker_has_room() -> None:
    """An eighth of a turn makes a square half as wide again and keeps its area."""
    square = Sticker(np.full((40, 40, 3), 9, np.uint8), np.full((40, 40), 255, np.uint8))
    turn = turned(square, degrees=45)
    assert turn.mask.shape == (pytest.approx(57, abs=1), pytest.approx(57, abs=1))
    assert (turn.mask > 127).sum() == pytest.approx(1600, rel=0.05)
    assert (turn.colours == 9).all()
