"""The demo's folder: made afresh, and never at the cost of somebody's files."""

from pathlib import Path

import pytest

from firstseen.demo.edits import EDITS
from firstseen.demo.prepare import MARKER, prepare_demo
from foundation.errors import InputNotFoundError, UsageError
from tests.photos import write_archive


def test_a_users_archive_gets_one_query_per_edit_and_one_unedited(tmp_path: Path):
    """Each query is made of another photo; files that are no photos are passed over; the archive stays as it is."""
    write_archive(tmp_path / "archive", photos=20)
    (tmp_path / "archive" / "notes.txt").write_text("no photo")
    before = sorted((tmp_path / "archive").rglob("*"))
    paths = prepare_demo(tmp_path / "demo", archive=tmp_path / "archive")
    names = [path.name for path in paths.queries.iterdir()]
    assert len(names) == len(EDITS) + 1
    assert len({name.split("-of-")[-1].removeprefix("same-file-as-") for name in names}) >= len(EDITS)
    (unedited,) = paths.queries.glob("same-file-as-*")
    assert unedited.read_bytes() in [path.read_bytes() for path in before if path.is_file()]
    assert sorted((tmp_path / "archive").rglob("*")) == before
    assert (paths.archive, paths.catalog) == (tmp_path / "archive", None)


def test_an_earlier_demo_is_replaced(tmp_path: Path):
    """What the last demo wrote goes; the folder is recognised by its marker."""
    write_archive(tmp_path / "archive", photos=9)
    for _ in range(2):
        paths = prepare_demo(tmp_path / "demo", archive=tmp_path / "archive")
        assert not paths.store.exists()
        paths.store.mkdir()
    assert (tmp_path / "demo" / MARKER).exists()


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path):
    """The error says to choose another folder."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="choose --directory"):
        prepare_demo(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_only_what_a_demo_wrote_is_removed(tmp_path: Path):
    """Files that the user put beside it stay, and what only looks like the demo's is refused, not deleted."""
    write_archive(tmp_path / "photos", photos=9)
    prepare_demo(tmp_path / "demo", archive=tmp_path / "photos")
    (tmp_path / "demo" / "notes.txt").write_text("mine")
    mine = write_archive(tmp_path / "demo" / "archive", photos=1)
    with pytest.raises(UsageError, match="lies in"):
        prepare_demo(tmp_path / "demo", archive=tmp_path / "demo" / "archive")
    with pytest.raises(UsageError, match="written by no demo"):
        prepare_demo(tmp_path / "demo")
    prepare_demo(tmp_path / "demo", archive=tmp_path / "photos")
    assert mine[0].exists()
    assert (tmp_path / "demo" / "notes.txt").read_text() == "mine"


def test_an_archive_without_photos_is_refused(tmp_path: Path):
    """Missing or without a single photo: both say what was expected."""
    with pytest.raises(InputNotFoundError, match="is no folder"):
        prepare_demo(tmp_path / "demo", archive=tmp_path / "nowhere")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a")
    with pytest.raises(InputNotFoundError, match="no photo that can be decoded"):
        prepare_demo(tmp_path / "demo", archive=tmp_path / "texts")
