"""`foundation.csv_tables`: how a CSV was written, seen from its first bytes."""

import io

import pytest

from foundation.csv_tables import csv_form, encoding_problem


@pytest.mark.parametrize(
    ("head", "names", "separator"),
    [
        (b"uri,caption\n1;2,3\n", ["uri", "caption"], ","),
        (b"\xef\xbb\xbfuri;caption\r\n", ["uri", "caption"], ";"),
        (b"URI\tcaption, long", ["URI", "caption, long"], "\t"),
        (b'"uri","two\nlines, one name"\nx,y\n', ["uri", "two\nlines, one name"], ","),
        (b"one,two;three\n", ["one", "two;three"], ","),
        (b"\xff;uri\n", ["\ufffd", "uri"], ";"),
        (b"", [], ","),
        (b"\0\0\0", ["\0\0\0"], ","),
        (b"x" * 2**18, [], ","),
    ],
)
def test_the_separator_is_the_one_that_gives_the_wanted_columns(head: bytes, names: list[str], separator: str):
    """Whatever else is in the file, and commas where nothing speaks for another."""
    assert csv_form(head, ["uri", "caption"]) == (names, separator)


def test_utf8_is_no_problem():
    """Nor is its byte order mark, nor the empty file."""
    for data in (b"", "é,写真\n".encode(), "\ufeffa\n".encode()):
        assert encoding_problem(io.BytesIO(data), "c.csv") is None


def test_the_command_that_converts_quotes_the_name():
    """It is pasted into a shell, and a name may be anybody's."""
    line = encoding_problem(io.BytesIO(b"\xff\xfea\0"), "a; rm b.csv")
    assert line == (
        "a; rm b.csv is UTF-16; expected UTF-8: iconv -f UTF-16 -t UTF-8 'a; rm b.csv' > 'a; rm b.utf-8.csv'"
    )
