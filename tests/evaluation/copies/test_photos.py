"""Every content is listed once, and what cannot be decoded not at all."""

import hashlib
from pathlib import Path

import pytest

from evaluation.copies.photos import list_photos
from foundation.errors import InputNotFoundError
from tests.photos import jpeg, scene, write_archive


def test_repeated_and_broken_photos_are_left_out(tmp_path: Path):
    """One photo twice and one text make no photo more; what became of them is told."""
    paths = write_archive(tmp_path, photos=4)
    (tmp_path / "again.jpg").write_bytes(paths[0].read_bytes())
    (tmp_path / "broken.jpg").write_text("no photo")
    told: list[str] = []
    found = list_photos(tmp_path, tell=told.append)
    assert [one.key for one in found] == sorted(hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in paths)
    assert told == [f"{tmp_path}: 4 photos, 1 repeated, 1 rejected"]


def test_folder_and_suffix_are_kept(tmp_path: Path):
    """The folder tells a scene; a name without a suffix of photos is written as JPEG."""
    (tmp_path / "square").mkdir()
    (tmp_path / "square" / "photo.bin").write_bytes(jpeg(scene(0)))
    (tmp_path / "photo.JPEG").write_bytes(jpeg(scene(1)))
    found = {one.folder: one.suffix for one in list_photos(tmp_path, tell=lambda _: None)}
    assert found == {"square": ".jpg", ".": ".jpeg"}


def test_a_folder_without_photos_is_refused(tmp_path: Path):
    """Nothing to ask for."""
    (tmp_path / "text.jpg").write_text("no photo")
    with pytest.raises(InputNotFoundError, match="no usable photo"):
        list_photos(tmp_path, tell=lambda _: None)
