"""Archives of every kind, opened by one function and read by URI."""

import os
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from foundation.archives.archive import open_archive, read, read_photos
from foundation.archives.photos import UnreadablePhotoError
from foundation.archives.uris import uri_of
from foundation.errors import InputNotFoundError, UsageError
from tests.foundation.archives.test_tar_shards import write_shard
from tests.photos import jpeg, scene


def ids(location: object) -> list[str]:
    """The photo_ids of an archive, in the order of its listing."""
    return [entry.photo_id for entry in open_archive(str(location)).list()]


def test_a_folder_with_photos_is_a_folder_of_files(tmp_path: Path):
    """A catalog in Parquet and a tar beside them are files like others: nothing is dropped, nothing is taken apart."""
    parquet.write_table(pa.table({"photo_id": ["a.jpg"]}), tmp_path / "catalog.parquet")
    write_shard(tmp_path / "backup.tar", [("1.jpg", b"one")])
    (tmp_path / "2024").mkdir()
    (tmp_path / "2024" / "a.JPG").write_bytes(b"a")
    assert ids(tmp_path) == ["backup.tar", "catalog.parquet", "2024/a.JPG"]


def test_a_folder_of_shards_lists_what_lies_in_them(tmp_path: Path):
    """Tar and Parquet may lie side by side; what is neither is an entry too, and becomes a reject."""
    (tmp_path / "b").mkdir()
    write_shard(tmp_path / "b" / "1.tar", [("x.jpg", b"x")])
    parquet.write_table(pa.table({"image": [b"p", b"q"]}), tmp_path / "a.parquet")
    (tmp_path / "index.json").write_text("{}")
    archive = open_archive(str(tmp_path))
    assert (archive.uri, archive.folder) == (uri_of(tmp_path), tmp_path)
    assert ids(tmp_path) == ["a.parquet#0", "a.parquet#1", "index.json", "b/1.tar#x.jpg"]
    photos = read_photos(entry.uri for entry in archive.list())
    assert [photo.read() for photo in photos] == [b"p", b"q", b"{}", b"x"]


def test_a_linked_shard_is_not_followed(tmp_path: Path):
    """The rule for links holds for shards: the link is an entry of its own."""
    write_shard(tmp_path / "elsewhere.tar", [("x.jpg", b"x")])
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "1.tar").symlink_to(tmp_path / "elsewhere.tar")
    assert ids(tmp_path / "archive") == ["1.tar"]


def test_a_file_uri_names_an_archive_as_its_path_does(tmp_path: Path):
    """What a run records as its archive can be given back."""
    (tmp_path / "a b.jpg").write_bytes(b"a")
    assert ids(uri_of(tmp_path)) == ids(tmp_path) == ["a b.jpg"]


@pytest.mark.parametrize("parent", ["plain", "[2020] *"])
def test_a_pattern_may_have_folders_in_it(tmp_path: Path, parent: str):
    """The photo_ids begin where the pattern does; brackets in the name of a folder that exists are no pattern."""
    for name in ("b", "a"):
        (tmp_path / parent / name).mkdir(parents=True)
        write_shard(tmp_path / parent / name / "1.tar", [("x.jpg", name.encode())])
    assert ids(tmp_path / parent / "*" / "*.tar") == ["a/1.tar#x.jpg", "b/1.tar#x.jpg"]
    assert ids(tmp_path / parent / "a" / "*.tar") == ["1.tar#x.jpg"]


def test_photos_of_several_archives_come_in_the_order_asked_for(tmp_path: Path):
    """Runs of one container are read together, and no order is changed."""
    shard = write_shard(tmp_path / "s.tar", [("1.jpg", b"s1"), ("2.jpg", b"s2")])
    (tmp_path / "f.jpg").write_bytes(b"f")
    uris = [uri_of(shard, part="2.jpg"), uri_of(tmp_path / "f.jpg"), uri_of(shard, part="1.jpg")]
    assert [photo.read() for photo in read_photos(uris)] == [b"s2", b"f", b"s1"]
    assert [read(uri) for uri in uris] == [b"s2", b"f", b"s1"]


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path):
    """A listing of ten million names is not held in memory, nor are their photos."""
    (tmp_path / "f.jpg").write_bytes(b"f")

    def uris():
        yield uri_of(tmp_path / "f.jpg")
        raise AssertionError("asked for one photo too many")

    photos = read_photos(uris())
    first = next(photos)
    (tmp_path / "f.jpg").write_bytes(b"changed")
    assert first.read() == b"changed"


@pytest.mark.parametrize(
    ("location", "error", "message"),
    [
        ("/nowhere/at/all", InputNotFoundError, "archive '/nowhere/at/all' does not exist; expected a folder"),
        ("/nowhere/*.tar", InputNotFoundError, r"archive '/nowhere/\*\.tar' does not exist"),
        ("~nobody-of-this-name/a", InputNotFoundError, "archive '~nobody-of-this-name/a' does not exist"),
        ("ftp://host/photos", UsageError, "'ftp://host/photos' cannot be read; .*copy the photos to this machine"),
        ("https://host/a.jpg", UsageError, "cannot be read"),
        ("file:///a/s.tar#1.jpg", UsageError, "names one photo; expected a folder .* leave out what follows the #"),
        (
            __file__,
            InputNotFoundError,
            "is a file; expected a folder of photos, tar shards, Parquet files",
        ),
    ],
)
def test_what_is_no_archive_is_refused(location: str, error: type[Exception], message: str):
    """An archive that is missing, remote or a single file ends with what was expected."""
    with pytest.raises(error, match=message):
        open_archive(location)


@pytest.mark.parametrize("name", ["s.tar", "s.parquet"])
def test_a_pipe_in_the_place_of_a_shard_is_not_waited_for(tmp_path: Path, name: str):
    """A list of URIs may name one, and so may an inventory whose archive has changed since."""
    os.mkfifo(tmp_path / name)
    with pytest.raises(UnreadablePhotoError, match="it is not a regular file"):
        read(uri_of(tmp_path / name, part="1"))


def test_a_pipe_is_not_waited_for(tmp_path: Path):
    """A folder may hold what nobody writes to: it is an entry, and it is no archive."""
    os.mkfifo(tmp_path / "pipe.tar")
    (tmp_path / "a.jpg").write_bytes(jpeg(scene(1)))
    assert ids(tmp_path) == ["a.jpg", "pipe.tar"]
    with pytest.raises(InputNotFoundError, match="does not exist"):
        open_archive(str(tmp_path / "pipe.tar"))
