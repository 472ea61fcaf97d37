"""The archive's photo as it is today: its file, or the thumbnail, and never another photo in its place."""

from pathlib import Path

import numpy as np

from foundation.archives.archive import read
from serving.output.evidence.proof import original_of, read_picture
from tests.photos import jpeg, scene
from tests.serving.output.evidence.desk import PHOTO, copy_of


def test_the_file_is_shown_as_long_as_it_is_the_indexed_one(tmp_path: Path):
    """Its pixels, upright and no larger than a page needs."""
    original = original_of(copy_of(tmp_path), read)
    assert (original.file, original.is_thumbnail) == ("as indexed", False)
    assert original.pixels is not None
    assert np.abs(original.pixels.astype(int) - PHOTO).mean() < 3


def test_another_photo_in_its_place_is_never_shown(tmp_path: Path):
    """A file that was overwritten would be false evidence: the thumbnail stands in for what was indexed."""
    match = copy_of(tmp_path)
    (tmp_path / "a.jpg").write_bytes(jpeg(scene(9, width=120, height=80)))
    original = original_of(match, read)
    assert (original.file, original.is_thumbnail) == ("changed", True)
    assert original.pixels is not None
    assert original.pixels.shape == (80, 120, 3)
    assert np.abs(original.pixels.astype(int) - PHOTO).mean() < 8


def test_a_photo_that_is_gone_is_shown_by_its_thumbnail(tmp_path: Path):
    """The thumbnail takes the shape of the photo, so that outlines fit; without one there is no picture."""
    match, without = copy_of(tmp_path), copy_of(tmp_path, thumbnail=None)
    (tmp_path / "a.jpg").unlink()
    original = original_of(match, read)
    assert (original.file, original.is_thumbnail) == ("unreadable", True)
    assert original.pixels is not None
    assert original.pixels.shape == (80, 120, 3)
    gone = original_of(without, read)
    assert (gone.file, gone.pixels, gone.is_thumbnail) == ("unreadable", None, False)


def test_a_broken_thumbnail_is_none(tmp_path: Path):
    """Evidence about a photo is no place to fail for its picture."""
    match = copy_of(tmp_path, thumbnail=b"broken")
    (tmp_path / "a.jpg").unlink()
    assert original_of(match, read).pixels is None


def test_a_query_that_is_gone_is_none(tmp_path: Path):
    """Its file may be deleted between lookup and page."""
    assert read_picture(str(tmp_path / "gone.jpg"), read, side=100) is None
