"""Listing and reading folders: every file is an entry, any name survives, and nothing can hang or crash a run."""

import errno
import io
import os
import random
import re
import shutil
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pytest
from pyarrow import parquet

from foundation.archives import folders, photos, places, tar_shards
from foundation.archives.archive import open_archive, read, read_photos
from foundation.archives.photos import UnreadablePhotoError
from foundation.archives.uris import path_of, uri_of
from foundation.errors import InputNotFoundError, TemporaryError
from foundation.photos.photo import PhotoTooLargeError
from tests.foundation.archives.test_tar_shards import write_shard

NOT_UTF8 = os.fsdecode(b"caf\xe9.jpg")


def names(folder: Path) -> list[str]:
    """Returns the photo_ids of a folder in the order of the listing."""
    return [entry.photo_id for entry in folders.list_folder(folder)]


def test_every_file_is_listed_in_a_stable_order(tmp_path: Path) -> None:
    """Hidden files and files of any kind are entries too, sorted within each folder, a folder's own files first."""
    for name in ("b/2.jpg", "b/1.jpg", "a/z.txt", ".hidden/x", "top.jpg", ".dot", "B.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert names(tmp_path) == [".dot", "B.jpg", "top.jpg", ".hidden/x", "a/z.txt", "b/1.jpg", "b/2.jpg"]


def test_an_entry_says_size_and_time(tmp_path: Path) -> None:
    """The delta of a re-index needs both: bytes, and the time of change to the second in UTC."""
    (tmp_path / "a.jpg").write_bytes(b"12345")
    os.utime(tmp_path / "a.jpg", (0, 1_700_000_000.75))
    (entry,) = folders.list_folder(tmp_path)
    assert entry.size_bytes == 5
    assert entry.modified_at == datetime.fromtimestamp(1_700_000_000, timezone.utc)


@pytest.mark.parametrize("name", ["é ü.jpg", "写真.jpg", "100%.jpg", "a%41.jpg", "q?x#y.jpg", "line\nbreak", NOT_UTF8])
def test_any_name_is_listed_and_read_by_its_uri(tmp_path: Path, name: str) -> None:
    """The URI of a listing is plain ASCII and leads back to the bytes; the photo_id can always be written as UTF-8."""
    (tmp_path / name).write_bytes(name.encode("utf-8", "surrogateescape"))
    (entry,) = folders.list_folder(tmp_path)
    assert entry.uri.isascii()
    assert path_of(entry.uri) == tmp_path / name
    assert read(entry.uri) == name.encode("utf-8", "surrogateescape")
    assert entry.photo_id.encode()


@pytest.mark.parametrize("name", ["plain", NOT_UTF8])
@pytest.mark.parametrize("kind", ["pipe", "folder", "broken link", "link to itself", "missing"])
def test_what_is_no_file_cannot_hang(tmp_path: Path, kind: str, name: str) -> None:
    """Pipes, folders and broken links are refused without being opened, in words that any format can write."""
    path = tmp_path / name
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind != "missing":
        path.symlink_to(path if kind == "link to itself" else tmp_path / "nowhere")
    with pytest.raises(UnreadablePhotoError) as caught:
        read(uri_of(path))
    assert caught.value.reason == "unreadable"
    assert str(caught.value).encode()


@pytest.mark.parametrize("name", ["a\0b", "file:///a%00b", "/" + "n" * 5_000, ""])
def test_an_impossible_name_is_unreadable(name: str) -> None:
    """A name that no file can have is a reject like any other."""
    with pytest.raises(UnreadablePhotoError):
        read(name)


def test_a_device_is_not_read() -> None:
    """/dev/zero would never end."""
    with pytest.raises(UnreadablePhotoError, match="not a regular file"):
        read("/dev/zero")


def test_pipes_and_broken_links_are_listed(tmp_path: Path) -> None:
    """They become rejects with a reason: an entry whose size is unknown is not dropped."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "broken").symlink_to("nowhere")
    entries = {entry.photo_id: entry for entry in folders.list_folder(tmp_path)}
    assert set(entries) == {"pipe", "broken"}
    assert entries["pipe"].size_bytes == entries["broken"].size_bytes == -1


def test_links_of_an_archive_are_not_followed(tmp_path: Path) -> None:
    """Neither to folders, which can form loops, nor to files, which can lead out: each is an entry, and a reject."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.jpg").write_bytes(b"one")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "link.jpg").symlink_to(tmp_path / "a" / "1.jpg")
    assert names(tmp_path) == ["link.jpg", "a/1.jpg", "a/loop"]
    link, file, loop = places.read_files(entry.uri for entry in folders.list_folder(tmp_path))
    assert file.read() == b"one"
    for photo in (link, loop):
        with pytest.raises(UnreadablePhotoError, match="is a link; links of an archive are not followed"):
            photo.read()


def test_a_link_that_is_asked_for_is_read(tmp_path: Path) -> None:
    """Whoever names a link means its target."""
    (tmp_path / "1.jpg").write_bytes(b"one")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "1.jpg")
    assert read(str(tmp_path / "link.jpg")) == b"one"


def test_a_folder_that_cannot_be_listed_is_an_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies below is unknown: the folder itself is listed, to become a reject, and the listing goes on."""
    for name in ("a", "locked", "z"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(b"x")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if os.path.basename(path) == "locked":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert sorted(names(tmp_path)) == ["a/1.jpg", "locked", "z/1.jpg"]
    assert [entry.photo_id for entry in folders.list_folder(tmp_path) if entry.is_folder] == ["locked"]
    (tmp_path / "z" / "1.jpg").unlink()
    (tmp_path / "z").rmdir()
    assert sorted(names(tmp_path)) == ["a/1.jpg", "locked"]
    with pytest.raises(InputNotFoundError, match="cannot be listed"):
        folders.check_folder(tmp_path / "locked")


def test_a_folder_that_fails_in_mid_listing_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the disk after some names: none of them counts, since which ones are missing is not known."""
    (tmp_path / "a").mkdir()
    for number in range(3):
        (tmp_path / "a" / f"{number}.jpg").write_bytes(b"x")
    scandir = os.scandir

    class Failing:
        """Gives one name, and fails at the next."""

        def __init__(self, path: str):
            self.names, self.path = scandir(path), path

        def __enter__(self) -> "Failing":
            return self

        def __exit__(self, *_: object) -> None:
            self.names.close()

        close = __exit__

        def __iter__(self) -> "Failing":
            return self

        def __next__(self) -> os.DirEntry:
            if os.path.basename(self.path) == "a" and not getattr(self, "given", None):
                self.given = next(self.names)
                return self.given
            if os.path.basename(self.path) == "a":
                raise OSError(5, "Input/output error", self.path)
            return next(self.names)

    monkeypatch.setattr(os, "scandir", Failing)
    (entry,) = folders.list_folder(tmp_path)
    assert (entry.photo_id, entry.is_folder, entry.size_bytes) == ("a", True, -1)


def test_a_folder_that_vanishes_in_mid_listing_is_unknown(tmp_path: Path) -> None:
    """Its name was listed; that it is gone when its turn comes does not remove what was in it."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(b"x")
    entries = folders.list_folder(tmp_path)
    assert next(entries).photo_id == "a/1.jpg"
    shutil.rmtree(tmp_path / "b")
    assert [(entry.photo_id, entry.is_folder) for entry in entries] == [("b", True)]


@pytest.mark.parametrize("back", [False, True])
def test_an_archive_that_vanishes_in_mid_listing_is_an_error(tmp_path: Path, back: bool) -> None:
    """Unmounted, it is gone or an empty folder: the listing ends with an error, and nothing is taken for removed."""
    root = tmp_path / "archive"
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        (root / name / "1.jpg").write_bytes(b"x")
    entries = folders.list_folder(root)
    assert next(entries).photo_id == "a/1.jpg"
    root.rename(tmp_path / "unmounted")
    if back:
        root.mkdir()
    with pytest.raises(TemporaryError, match="went away while it was listed") as caught:
        list(entries)
    assert caught.value.exit_code == 75


def test_an_archive_that_is_gone_is_an_error(tmp_path: Path) -> None:
    """No listing at all is not a listing of nothing."""
    with pytest.raises(InputNotFoundError, match="cannot be listed"):
        list(folders.list_folder(tmp_path / "gone"))


def test_a_time_beyond_the_calendar_is_no_reason_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken file systems hand out years above 9999."""
    (tmp_path / "a").write_bytes(b"x")
    monkeypatch.setattr(Path, "lstat", lambda path: os.stat_result((0o100644, *[0] * 6, 0, 2**50, 0)))
    (entry,) = folders.list_folder(tmp_path)
    assert entry.modified_at is None


@pytest.mark.parametrize(("number", "is_away"), [(errno.ESTALE, True), (errno.EMFILE, True), (errno.EIO, False)])
def test_a_disk_that_does_not_answer_says_nothing_of_the_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, is_away: bool
) -> None:
    """A network's file system that went away ends the run; a bad block costs the photo that lies there."""
    (tmp_path / "a.jpg").write_bytes(b"photo")
    uri = uri_of(tmp_path / "a.jpg")
    file = places.look_up(uri)

    def failing(path: Path, *_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "open", failing)
    for reading, otherwise in (
        (lambda: read(uri), UnreadablePhotoError),
        (lambda: places.read_range(file, 0, 1), UnreadablePhotoError),
        (lambda: places.open_file(file), InputNotFoundError),
    ):
        remedy = r".*`ulimit -n`.* run again" if number == errno.EMFILE else ""
        with pytest.raises(TemporaryError if is_away else otherwise, match=re.escape(os.strerror(number)) + remedy):
            reading()
    monkeypatch.setattr(Path, "stat", failing)
    with pytest.raises(TemporaryError if is_away else InputNotFoundError, match=r"a\.jpg"):
        places.look_up(uri)


class FailingFile(io.FileIO):
    """A file on a disk of a network that goes away while the file is open."""

    is_away = False

    def readinto(self, buffer: Any) -> Any:
        """Reads while its disk is there."""
        if FailingFile.is_away:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return super().readinto(buffer)


@pytest.mark.parametrize(("name", "moment"), [("1.tar", "before"), ("1.parquet", "before"), ("1.parquet", "between")])
def test_a_disk_that_goes_away_says_nothing_of_the_photos_of_an_open_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, moment: str
) -> None:
    """Neither its members or rows become rejects, nor does its listing call it damaged."""
    write_shard(tmp_path / "1.tar", [("0.jpg", b"0"), ("1.jpg", b"1")])
    rows = [random.Random(number).randbytes(6 * 2**20) for number in range(3)]  # noqa: S311
    parquet.write_table(pa.table({"image": rows}), tmp_path / "1.parquet", row_group_size=1)
    archive = open_archive(str(tmp_path / name))
    uris = [entry.uri for entry in archive.list()]
    tar_shards._index.cache_clear()
    monkeypatch.setattr(FailingFile, "is_away", False)
    monkeypatch.setattr(Path, "open", lambda path, *_, buffering=-1: opened_on_a_network(path, buffering))
    photos_of_file = read_photos(iter(uris))
    if moment == "between":
        next(photos_of_file).read()
    FailingFile.is_away = True
    with pytest.raises(TemporaryError, match=rf"{name}: .*; see that its disk answers, and run again"):
        _ = [photo.read() for photo in photos_of_file]
    with pytest.raises(TemporaryError):
        list(archive.list())


def opened_on_a_network(path: Path, buffering: int) -> BinaryIO:
    """What `Path.open` returns of a FailingFile."""
    raw = FailingFile(path)
    return raw if buffering == 0 else io.BufferedReader(raw)


def test_too_large_is_refused_before_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size is looked up first; a sparse terabyte costs nothing."""
    with (tmp_path / "large").open("wb") as file:
        file.truncate(2**40)
    monkeypatch.setattr(photos, "MAX_BYTES", 10)
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(PhotoTooLargeError, match=f"has {2**40} bytes; expected at most 10"):
        read(str(tmp_path / "large"))


def test_a_file_of_just_the_allowed_size_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound itself is allowed, and an empty file is the decoder's to judge."""
    monkeypatch.setattr(photos, "MAX_BYTES", 4)
    (tmp_path / "f").write_bytes(b"1234")
    (tmp_path / "empty").write_bytes(b"")
    assert read(str(tmp_path / "f")) == b"1234"
    assert read(str(tmp_path / "empty")) == b""


def change_at_reads(monkeypatch: pytest.MonkeyPatch, path: Path, contents: list[bytes]) -> None:
    """Lets somebody write to a file as it is opened, once for each of the contents."""
    path_open = Path.open

    class Written:
        """An open file that somebody else writes to just after it is read."""

        def __init__(self, file: BinaryIO):
            self.file, self.fileno = file, file.fileno

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def read(self, size: int) -> bytes:
            data = self.file.read(size)
            if contents:
                path.write_bytes(contents.pop(0))
                os.utime(path, ns=(0, len(contents)))
            return data

    def opened(path: Path, mode: str = "r", *arguments):
        file = path_open(path, mode, *arguments)
        return Written(file) if mode == "rb" else file

    monkeypatch.setattr(Path, "open", opened)


@pytest.mark.parametrize("change", [b"longer than it was", b"less", b"as wide", b""])
def test_a_file_that_changes_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: bytes
) -> None:
    """What is half the old photo and half the new one is never handed on, whatever its size."""
    (tmp_path / "a.jpg").write_bytes(b"as long")
    change_at_reads(monkeypatch, tmp_path / "a.jpg", [change])
    assert read(str(tmp_path / "a.jpg")) == change


def test_a_file_that_changes_all_the_time_is_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a reject: the next run meets it when it is written to the end."""
    (tmp_path / "a.jpg").write_bytes(b"0")
    change_at_reads(monkeypatch, tmp_path / "a.jpg", [b"01", b"012"])
    with pytest.raises(UnreadablePhotoError, match=r"a\.jpg changes while it is read; encode again"):
        read(str(tmp_path / "a.jpg"))
