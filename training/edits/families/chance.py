"""Draws numbers, colours, photos, regions and words for the parameters of edits."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from training.edits.hide import Region
from training.edits.lettering import Colour
from training.edits.page import Theme
from training.edits.typefaces import TYPEFACES
from training.edits.words import draw_words

Item = TypeVar("Item")


def uniform(generator: np.random.Generator, lowest: float, highest: float) -> float:
    """Draws a number, evenly."""
    return float(generator.uniform(lowest, highest))


def whole(generator: np.random.Generator, lowest: int, highest: int) -> int:
    """Draws a whole number, both ends included."""
    return int(generator.integers(lowest, highest + 1))


def scale(generator: np.random.Generator, lowest: float, highest: float) -> float:
    """Draws a factor: halving and doubling are as likely."""
    return float(np.exp(generator.uniform(np.log(lowest), np.log(highest))))


def either_way(generator: np.random.Generator, lowest: float, highest: float) -> float:
    """Draws a number of that size, above or below 0."""
    return uniform(generator, lowest, highest) * (1 if generator.random() < 0.5 else -1)


def one_of(generator: np.random.Generator, items: Sequence[Item]) -> Item:
    """Draws one item."""
    return items[int(generator.integers(len(items)))]


def some_of(generator: np.random.Generator, items: Sequence[Item], *, count: int) -> list[Item]:
    """Draws that many items, each at most once unless there are too few."""
    chosen = generator.choice(len(items), count, replace=count > len(items))
    return [items[index] for index in chosen.tolist()]


def seed(generator: np.random.Generator) -> int:
    """Draws a seed for what an edit draws for each pixel."""
    return whole(generator, 0, 2**31)


def colour(generator: np.random.Generator, *, lowest: int = 0, highest: int = 255) -> Colour:
    """Draws a colour; black, white and greys are as frequent as all others together."""
    red, green, blue = generator.integers(lowest, highest + 1, 3).tolist()
    if generator.random() < 0.5:
        grey = one_of(generator, (lowest, highest, red))
        return grey, grey, grey
    return red, green, blue


def paper_and_ink(generator: np.random.Generator) -> tuple[Colour, Colour]:
    """Draws two colours that can be read on each other, light on dark or dark on light."""
    light, dark = colour(generator, lowest=205), colour(generator, highest=70)
    return (light, dark) if generator.random() < 0.6 else (dark, light)


def vivid(generator: np.random.Generator) -> Colour:
    """Draws a colour that stands out: one channel full, one empty."""
    levels = [255 - whole(generator, 0, 40), whole(generator, 0, 50), whole(generator, 0, 255)]
    red, green, blue = generator.permutation(levels).tolist()
    return red, green, blue


def typeface(generator: np.random.Generator) -> str:
    """Draws a typeface."""
    return one_of(generator, tuple(TYPEFACES))


def theme(generator: np.random.Generator) -> Theme:
    """Draws the look of a page: light or dark, its colours, typeface and words."""
    paper, ink = paper_and_ink(generator)
    return Theme(paper, ink, vivid(generator), typeface(generator), draw_words(generator, count=40))


def region(generator: np.random.Generator, *, smallest: float, largest: float, anywhere: bool = True) -> Region:
    """Draws a part of a photo, its sides shares between those; it is about the middle or anywhere."""
    height, width = uniform(generator, smallest, largest), uniform(generator, smallest, largest)
    spread = 1.0 if anywhere else 0.6
    down, right = (0.5 + (uniform(generator, 0, 1) - 0.5) * spread for _ in range(2))
    return Region((1 - height) * down, (1 - width) * right, height, width)
