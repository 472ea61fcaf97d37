"""URIs of archives: any file name survives, and a part of a file has a name of its own."""

import os
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.archives.uris import path_of, split, uri_of

NAMES = st.binary(min_size=1).filter(lambda name: b"\0" not in name)


@settings(max_examples=200)
@given(NAMES)
def test_uris_and_paths_round_trip(name: bytes) -> None:
    """Any bytes that can name a file survive the way to a URI and back."""
    path = Path("/archive", os.fsdecode(name))
    assert path_of(uri_of(path)) == path


def test_a_plain_path_is_taken_as_it_is() -> None:
    """Percent signs are decoded in file:// URIs only."""
    assert path_of("/a/100%41.jpg") == Path("/a/100%41.jpg")
    assert path_of("file:///a/100%2541.jpg") == Path("/a/100%41.jpg")


@settings(max_examples=200)
@given(NAMES, NAMES)
def test_a_part_of_a_file_is_told_from_the_file(name: bytes, part: bytes) -> None:
    """A `#` in either name is no separator."""
    path = Path("/archive", os.fsdecode(name))
    uri = uri_of(path, part=os.fsdecode(part))
    assert uri.isascii()
    assert path_of(uri) == path
    assert split(uri) == (uri_of(path), os.fsdecode(part))


def test_a_plain_path_has_no_part() -> None:
    """A `#` in a path is a letter like another."""
    assert split("/a/x#1.jpg") == ("/a/x#1.jpg", "")
    assert path_of("/a/x#1.jpg") == Path("/a/x#1.jpg")
