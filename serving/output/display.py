"""Makes names and captions of strangers harmless to show, and fits them into the columns of a terminal."""

import unicodedata
from itertools import accumulate
from urllib.parse import unquote

# They join letters of Persian or Hindi, and the parts of an emoji; alone they move nothing.
JOINERS = "\u200c\u200d"


def printable(text: str) -> str:
    """Returns the text without control characters, which could rewrite a terminal; a file URI is decoded.

    Marks that turn the direction of writing go too: they make `gpj.exe` read as `exe.jpg`.
    """
    plain = unquote(text) if text.startswith("file://") else text
    return "".join(map(_shown, plain))


def _shown(letter: str) -> str:
    if letter.isprintable() or letter in JOINERS:
        return letter
    return " " if letter.isspace() else "�"


def columns_of(text: str) -> int:
    """Returns how many columns of a terminal the text takes: two for a wide letter, none for an accent put on one.

    The widths are those of Unicode's Standard Annex 11, *East Asian Width*.
    """
    return sum(map(_columns, text))


def _columns(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def padded(text: str, columns: int) -> str:
    """Returns the text followed by blanks up to so many columns; a longer one is returned as it is."""
    return text + " " * (columns - columns_of(text))


def shortened(text: str, columns: int) -> str:
    """Returns the text, or its two ends around an ellipsis if it takes more columns.

    Two thirds go to the end: photos of one folder begin alike, and their file names stand last.
    """
    if columns_of(text) <= columns:
        return text
    end = _beginning(text[::-1], columns * 2 // 3)[::-1]
    return _beginning(text, columns - 1 - columns_of(end)) + "…" + end


def _beginning(text: str, columns: int) -> str:
    taken = accumulate(map(_columns, text))
    return "".join(letter for letter, so_far in zip(text, taken, strict=True) if so_far <= columns)
