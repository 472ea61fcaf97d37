"""Training sources: photos by number, and a fingerprint that follows them."""

from pathlib import Path

import pytest

from foundation.errors import InputNotFoundError
from tests.foundation.archives.test_parquet_tables import write_parquet
from training.data.source import open_source


def test_a_folder_is_read_in_the_order_of_its_paths(photo_folder: Path):
    """Every file below a folder is one photo of the source."""
    source = open_source(str(photo_folder))
    files = sorted(photo_folder.rglob("*.jpg"))
    assert [photo.read() for photo in source.read(range(len(source.entries)))] == [file.read_bytes() for file in files]


def test_the_fingerprint_follows_the_files(tmp_path: Path):
    """A folder that gained a photo, or whose photo grew, is another source."""
    (tmp_path / "a.jpg").write_bytes(b"a")
    before = open_source(str(tmp_path)).fingerprint
    assert open_source(str(tmp_path)).fingerprint == before
    (tmp_path / "b.jpg").write_bytes(b"b")
    gained = open_source(str(tmp_path)).fingerprint
    (tmp_path / "b.jpg").write_bytes(b"bb")
    assert len({before, gained, open_source(str(tmp_path)).fingerprint}) == 3


def test_only_the_photos_asked_for_are_read(tmp_path: Path):
    """Numbers choose rows across files and row groups."""
    write_parquet(tmp_path / "1.parquet", image=[b"0", b"1", b"2"])
    write_parquet(tmp_path / "2.parquet", image=[b"3", b"4"])
    source = open_source(str(tmp_path))
    assert len(source.entries) == 5
    assert [photo.read() for photo in source.read([1, 3, 4])] == [b"1", b"3", b"4"]


def test_an_empty_folder_is_no_source(tmp_path: Path):
    """There is nothing to learn from."""
    with pytest.raises(InputNotFoundError, match="no photos in the source"):
        open_source(str(tmp_path))
