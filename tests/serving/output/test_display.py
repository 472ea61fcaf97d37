"""Text of strangers in a terminal: harmless, and as wide as it is said to be."""

import pytest

from serving.output.display import columns_of, padded, printable, shortened


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 写真.jpg", "plain é 写真.jpg"),
        ("file:///a/caf%C3%A9%20x.jpg", "file:///a/café x.jpg"),
        ("file:///a/%1b[31m.jpg", "file:///a/�[31m.jpg"),
        ("file:///a/caf%E9.jpg", "file:///a/caf�.jpg"),
        ("100%25.jpg", "100%25.jpg"),
        ("\udce9", "�"),
        ("two\r\nlines", "two  lines"),
        ("\u202egpj.exe\u202c \u2066x\u2069", "�gpj.exe� �x�"),
    ],
)
def test_names_are_shown_readable(text: str, shown: str) -> None:
    """Only a URI is decoded, a path may hold percent signs of its own; what could move the cursor becomes a sign."""
    assert printable(text) == shown


@pytest.mark.parametrize("text", ["می\u200cخواهم", "👨\u200d👩\u200d👧", "क्\u200dष"])
def test_joiners_stay(text: str) -> None:
    """Without them Persian, Hindi and emoji read as something else."""
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "columns"), [("", 0), ("abc", 3), ("写真", 4), ("ｱ", 1), ("Ａ", 2), ("é", 1), ("e\u0301", 1), ("😀", 2)]
)
def test_columns_are_those_of_a_terminal(text: str, columns: int) -> None:
    """A wide letter takes two; an accent that stands alone as a character takes none."""
    assert columns_of(text) == columns


def test_padding_counts_columns() -> None:
    """Two wide letters take the place of four, and nothing is cut."""
    assert padded("写真", 6) == "写真  "
    assert padded("abcdef", 3) == "abcdef"


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("photo.jpg", 9, "photo.jpg"),
        ("archive/photo.jpg", 13, "arch…hoto.jpg"),
        ("写真写真写真写真.jpg", 13, "写真…写真.jpg"),
        ("写真写真写真写真.jpg", 14, "写真…写真.jpg"),
        ("", 0, ""),
    ],
)
def test_a_long_name_loses_its_middle(text: str, columns: int, shown: str) -> None:
    """The end has more room than the beginning; half of a wide letter is never shown."""
    assert shortened(text, columns) == shown
    assert columns_of(shown) <= columns
