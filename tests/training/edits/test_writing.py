"""Text: letters as masks, lines that fit, paragraphs broken between words, words of many languages."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.edits.typefaces import TYPEFACES, outlined, render
from training.edits.words import WORDS, draw_words
from training.edits.writing import broken, write, write_outlined, write_paragraph

PAPER, INK = (250, 250, 250), (20, 20, 20)


@pytest.mark.parametrize("typeface", TYPEFACES)
@pytest.mark.parametrize("height", [1, 7, 20, 33, 120])
def test_a_line_is_as_high_as_asked_for(typeface: str, height: int) -> None:
    """In every typeface and size there is ink, and more letters are wider."""
    short, long = (render(text, height=height, typeface=typeface) for text in ("Hm", "Hm, letters"))
    assert (short.dtype, short.shape[0], long.shape[0]) == (np.uint8, height, height)
    assert short.any()
    assert short.shape[1] < long.shape[1]


def test_typefaces_differ() -> None:
    """No two give the same mask of the same word."""
    assert len({render("Word", height=40, typeface=typeface).tobytes() for typeface in TYPEFACES}) == len(TYPEFACES)


def test_an_empty_text_is_a_narrow_line() -> None:
    """Nothing to write gives an empty mask, not an error."""
    assert not render("", height=20).any()


def test_an_outline_surrounds_its_letters() -> None:
    """It covers them, reaches further, and both have the same size."""
    mask, outline = outlined(render("A", height=40), by=3)
    assert mask.shape == outline.shape
    assert (outline >= mask).all()
    assert np.count_nonzero(outline) > np.count_nonzero(mask)


@settings(deadline=None, max_examples=40)
@given(height=st.integers(1, 40), width=st.integers(1, 200), text=st.text("abc XY", max_size=30))
def test_one_line_fits_its_area(height: int, width: int, text: str) -> None:
    """Whatever the text, writing stays inside the area, in its colours, and needs no room."""
    page = np.zeros((height + 10, width + 10, 3), np.uint8)
    write(page[5:-5, 5:-5], text, colour=INK, across=0.5)
    write_outlined(page[5:-5, 5:-5], text, colour=(255, 255, 255), outline=(9, 9, 9))
    page[5:-5, 5:-5] = 0
    assert not page.any()


@pytest.mark.parametrize("across", [0, 1])
def test_a_line_stands_at_its_side(across: int) -> None:
    """Short text is at the left, or at the right."""
    area = np.zeros((30, 300, 1), np.uint8)
    write(area, "Hm", colour=(255, 255, 255), across=across)
    columns = np.nonzero(area.any(axis=(0, 2)))[0]
    assert (columns.mean() > 150) == bool(across)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_paragraph_fills_lines_with_ink_on_paper(channels: int) -> None:
    """Line by line, with paper between them, as many as there are words for and room."""
    area = np.full((95, 160, channels), 250, np.uint8)
    write_paragraph(area, "word " * 100, line_height=20, paper=PAPER, ink=INK)
    inked = (area < 100).any(axis=(1, 2))
    assert [bool(inked[top : top + 16].any()) for top in (0, 20, 40, 60)] == [True] * 4
    assert not inked[80:].any()
    assert area.min() < 40


def test_without_room_or_words_no_paragraph_is_written() -> None:
    """Lines below four pixels, empty text and empty areas leave the page as it is."""
    for shape, text, line in (((20, 50), "words", 3), ((20, 50), "", 8), ((20, 0), "words", 8), ((4, 50), "words", 8)):
        area = np.full((*shape, 3), 250, np.uint8)
        write_paragraph(area, text, line_height=line, paper=PAPER, ink=INK)
        assert (area == 250).all()


@given(words=st.lists(st.text("abcdef", min_size=1, max_size=12), max_size=20), most=st.integers(1, 30))
def test_lines_are_broken_between_words(words: list[str], most: int) -> None:
    """No word is lost or cut; a line is too long only where a single word is."""
    lines = list(broken(" ".join(words), most=most))
    assert " ".join(lines).split() == words
    assert all(len(line) <= most or " " not in line for line in lines)


def test_words_vary_in_language_and_count() -> None:
    """As many words as asked for, of one language; many texts are different."""
    texts = {draw_words(np.random.default_rng(seed), count=4) for seed in range(50)}
    assert len(texts) > 45
    assert all(len(text.split()) == 4 for text in texts)
    known = [set(words.lower().split()) for words in WORDS.values()]
    for text in texts:
        assert any(set(text.lower().split()[:3]) <= words for words in known)
