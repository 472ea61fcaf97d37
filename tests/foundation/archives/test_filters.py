"""What is left out of an archive: files of the system, and what patterns say; everything else stays, photo or not."""

from collections import Counter
from pathlib import Path

import pytest
from pyarrow import parquet, table

from foundation.archives.archive import open_archive
from foundation.archives.filters import EXCLUDED, NOT_INCLUDED, SYSTEM, Filter
from foundation.archives.photos import Entry
from tests.foundation.archives.test_tar_shards import write_shard

LEFT_BY_SYSTEMS = [
    ".DS_Store",
    "2024/.DS_Store",
    "._1.jpg",
    "2024/._1.jpg",
    "Thumbs.db",
    "thumbs.db",
    "2024/desktop.ini",
    "@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg",
    ".git/objects/ab/12.jpg",
    "2024/lost+found",
    "__MACOSX/2024/._1.jpg",
    ".Trash-1000/files/1.jpg",
    ".Trashes/1.jpg",
    ".Spotlight-V100/Store-V2/1.jpg",
    "shard.tar#__MACOSX/._1.jpg",
    "shard.tar#.DS_Store",
]
KEPT = [
    "1.jpg",
    ".hidden.jpg",
    "2024/notes.txt",
    "DS_Store",
    "my.git/1.jpg",
    "lost+found.jpg",
    "Thumbs.db.jpg",
    "Trash/1.jpg",
    "desktop.ini.png",
    "a#._b.jpg",
    "no-extension",
    "shard.tar#1.jpg",
]


def kept(names: list[str], *, include: list[str] | None = None, exclude: list[str] | None = None) -> list[str]:
    """Returns which of the photo_ids count, and checks that the others are counted."""
    wanted, left_out = Filter(include or [], exclude or []), Counter[str]()
    entries = [Entry(name, f"file:///{name}", 1, None) for name in names]
    found = [entry.photo_id for entry in wanted.choose(wanted.drop(entries, left_out), left_out)]
    assert len(found) + left_out.total() == len(names)
    return found


def test_files_of_the_system_are_left_out_wherever_they_lie():
    """An archive on a real disk has them, and none of them is a photo; what only looks alike stays."""
    assert kept([*LEFT_BY_SYSTEMS, *KEPT]) == KEPT
    assert kept(LEFT_BY_SYSTEMS, include=["*.jpg", "._*"]) == []


NAMES = ["1.jpg", "2.PNG", "2019/1.jpg", "2019/raw/2.jpg", "raw/3.jpg", "x.tar#1.jpg", "b/x.tar#raw/2.png"]


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("*.jpg", ["1.jpg", "2019/1.jpg", "2019/raw/2.jpg", "raw/3.jpg", "x.tar#1.jpg"]),
        ("*.png", ["2.PNG", "b/x.tar#raw/2.png"]),
        ("raw", ["2019/raw/2.jpg", "raw/3.jpg", "b/x.tar#raw/2.png"]),
        ("RAW/", ["2019/raw/2.jpg", "raw/3.jpg", "b/x.tar#raw/2.png"]),
        ("2019/raw", ["2019/raw/2.jpg"]),
        ("/2019/*.jpg", ["2019/1.jpg", "2019/raw/2.jpg"]),
        ("**/raw/*", ["2019/raw/2.jpg"]),
        ("x.tar", ["x.tar#1.jpg", "b/x.tar#raw/2.png"]),
        ("b/x.tar", ["b/x.tar#raw/2.png"]),
        ("[12].*", ["1.jpg", "2.PNG", "2019/1.jpg", "2019/raw/2.jpg", "x.tar#1.jpg", "b/x.tar#raw/2.png"]),
        ("?.jpg", ["1.jpg", "2019/1.jpg", "2019/raw/2.jpg", "raw/3.jpg", "x.tar#1.jpg"]),
        ("jpg", []),
        ("", []),
        ("[", []),
    ],
)
def test_a_pattern_matches_names_anywhere_or_a_path_from_the_root(pattern: str, matched: list[str]):
    """To include it gives those photos, to exclude it gives all others."""
    assert kept(NAMES, include=[pattern]) == matched
    assert kept(NAMES, exclude=[pattern]) == [name for name in NAMES if name not in matched]


def test_several_patterns_add_up():
    """To exclude is stronger than to include."""
    assert kept(NAMES, include=["raw", "*.png"], exclude=["3.jpg", "b/*"]) == ["2.PNG", "2019/raw/2.jpg"]


def test_an_archive_says_how_many_were_left_out_and_why(tmp_path: Path):
    """The counts are those of its last listing, and an unknown file stays to become a reject."""
    for name in ("1.jpg", "a/2.png", "a/.DS_Store", "Thumbs.db", "raw/3.jpg", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    archive = open_archive(str(tmp_path), include=["*.jpg", "notes.*"], exclude=["raw"])
    for _ in range(2):
        assert [entry.photo_id for entry in archive.list()] == ["1.jpg", "notes.txt"]
        assert archive.left_out == {SYSTEM: 2, EXCLUDED: 1, NOT_INCLUDED: 1}
    plain = open_archive(str(tmp_path))
    assert len(list(plain.list())) == 4
    assert plain.left_out == {SYSTEM: 2}


def test_patterns_choose_shards_and_photos_inside_them(tmp_path: Path):
    """An excluded shard is not even opened."""
    write_shard(tmp_path / "a.tar", [("1.jpg", b"1"), ("._1.jpg", b"x"), ("2.png", b"2")])
    (tmp_path / "broken.tar").write_bytes(b"no tar at all")
    parquet.write_table(table({"image": [b"1"]}), tmp_path / "b.parquet")
    (tmp_path / ".DS_Store").write_bytes(b"x")
    archive = open_archive(str(tmp_path), exclude=["broken.tar", "*.png"])
    assert [entry.photo_id for entry in archive.list()] == ["a.tar#1.jpg", "b.parquet#0"]
    assert archive.left_out == {SYSTEM: 2, EXCLUDED: 2}


def test_what_is_left_out_does_not_say_what_a_folder_is(tmp_path: Path):
    """A thumbnail of the system, or an excluded photo, beside shards makes no folder of photos of them."""
    write_shard(tmp_path / "a.tar", [("1.jpg", b"1")])
    (tmp_path / "@eaDir").mkdir()
    (tmp_path / "@eaDir" / "thumb.jpg").write_bytes(b"x")
    assert [entry.photo_id for entry in open_archive(str(tmp_path)).list()] == ["a.tar#1.jpg"]
    (tmp_path / "preview.jpg").write_bytes(b"x")
    assert [entry.photo_id for entry in open_archive(str(tmp_path)).list()] == ["a.tar", "preview.jpg"]
    assert [entry.photo_id for entry in open_archive(str(tmp_path), include=["*.tar"]).list()] == ["a.tar#1.jpg"]
