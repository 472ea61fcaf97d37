"""Local files: whole, or as they were."""

from pathlib import Path

import pytest

from foundation.files import finished_file, replace_file


def test_a_file_appears_only_when_the_block_ends_well(tmp_path: Path):
    """A block that fails leaves the file of before, and nothing beside it."""
    path = tmp_path / "answers.csv"
    path.write_text("before")

    def fail_half_way() -> None:
        with finished_file(path) as partial:
            partial.write_text("half")
            assert path.read_text() == "before"
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way()
    assert path.read_text() == "before"
    with finished_file(path) as partial:
        partial.write_text("after")
    assert path.read_text() == "after"
    assert list(tmp_path.iterdir()) == [path]


def test_a_whole_file_is_replaced_and_its_folder_made(tmp_path: Path):
    """The folder need not exist; a second call replaces the first one's bytes."""
    path = tmp_path / "new" / "folder" / "state.json"
    for data in (b"one", b"two"):
        replace_file(path, data)
        assert path.read_bytes() == data
    assert list(path.parent.iterdir()) == [path]
