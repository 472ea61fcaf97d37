"""Tar shards of photos: read in order with their labels, never extracted, refused when broken."""

import io
import json
import os
import pickle
import tarfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from foundation.archives import photos, places, tar_shards
from foundation.archives.archive import open_archive, read, read_photos
from foundation.archives.photos import EncodedPhoto, Entry, UnreadablePhotoError
from foundation.errors import InputNotFoundError
from foundation.photos.photo import PhotoTooLargeError
from tests.photos import jpeg, scene


def write_shard(path, members: list[tuple[str, bytes]]):
    """A tar with files of those names and contents."""
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def labelled(name: str, label: str) -> list[tuple[str, bytes]]:
    """A photo and its label, as WebDataset lays them out."""
    return [(f"{name}.jpg", f"photo {name}".encode()), (f"{name}.json", json.dumps({"label": label}).encode())]


def entries_of(path) -> list[Entry]:
    """The listing of a shard, or of a folder of some."""
    return list(open_archive(str(path)).list())


def photos_of(path) -> list[EncodedPhoto]:
    """The photos of a shard, or of a folder of some, in order."""
    return list(read_photos(entry.uri for entry in entries_of(path)))


def test_photos_come_with_the_label_of_their_key(tmp_path):
    """A label stands in the JSON or the .cls of the same key, before or after its photo; without one there is none."""
    shard = write_shard(
        tmp_path / "shard.tar",
        [
            *labelled("a/1", "cat"),
            *reversed(labelled("a/2", "dog")),
            ("3.png", b"photo 3"),
            ("3.cls", b"7\n"),
            ("4.JPG", b"photo 4"),
            ("5.jpeg", b"photo 5"),
            ("5.json", b"not JSON"),
            ("notes.txt", b"no photo"),
        ],
    )
    samples = photos_of(shard)
    assert [sample.label() for sample in samples] == ["cat", "dog", "7", None, None]
    assert samples[0].read() == b"photo a/1"


def test_an_entry_names_shard_and_member(tmp_path):
    """The photo_id is their names; the URI leads back to the bytes, whatever the member is called."""
    names = ["2024/a b.jpg", "100%.jpg", "x#y.jpg", "写真.jpg", "no-extension"]
    shard = write_shard(tmp_path / "s.tar", [(name, name.encode()) for name in names])
    entries = entries_of(tmp_path)
    assert [entry.photo_id for entry in entries] == [f"s.tar#{name}" for name in names]
    assert [entry.size_bytes for entry in entries] == [len(name.encode()) for name in names]
    assert [read(entry.uri) for entry in entries] == [name.encode() for name in names]
    assert all(entry.uri.startswith(f"{shard.as_uri()}#") for entry in entries)


def test_members_of_one_name_are_all_there(tmp_path):
    """A tar that was appended to may hold a name twice: both are photos, each with its own bytes."""
    write_shard(tmp_path / "s.tar", [("1.jpg", b"old"), ("2.jpg", b"two"), ("1.jpg", b"new")])
    entries = entries_of(tmp_path)
    assert [entry.photo_id for entry in entries] == ["s.tar#1.jpg", "s.tar#2.jpg", "s.tar#1.jpg@2"]
    assert [read(entry.uri) for entry in entries] == [b"old", b"two", b"new"]


def test_a_member_called_like_a_repeated_one_takes_no_place(tmp_path):
    """The name that a repeated member gets may be that of another member, before or after it: no photo is lost."""
    names = ["1.jpg", "1.jpg", "1.jpg@2", "2.jpg@2", "2.jpg", "2.jpg"]
    write_shard(tmp_path / "s.tar", [(name, str(number).encode()) for number, name in enumerate(names)])
    entries = entries_of(tmp_path)
    assert len({entry.photo_id for entry in entries}) == len(names)
    assert [read(entry.uri) for entry in entries] == [b"0", b"1", b"2", b"3", b"4", b"5"]


def test_a_repeated_sidecar_is_no_photo(tmp_path):
    """What was appended to a shard a second time replaces the label, and is not listed as a photo."""
    write_shard(tmp_path / "s.tar", [*labelled("1", "cat"), *labelled("1", "dog")])
    assert [entry.photo_id for entry in entries_of(tmp_path)] == ["s.tar#1.jpg", "s.tar#1.jpg@2"]
    assert [photo.label() for photo in photos_of(tmp_path)] == ["dog", "dog"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_rejects(tmp_path, kind):
    """What is not a plain file is listed, and nothing outside the tar is ever read."""
    path = tmp_path / "shard.tar"
    with tarfile.open(path, "w") as tar:
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = kind, "/etc/passwd"
        tar.addfile(link)
    (entry,) = entries_of(path)
    assert entry.size_bytes == -1
    with pytest.raises(UnreadablePhotoError, match=r"shard\.tar#link\.jpg is a link, a device or sparse"):
        read(entry.uri)


def test_what_describes_no_photo_is_counted(tmp_path):
    """Nothing is dropped without a word, as in a folder of photos."""
    members = [*labelled("0", "cat"), ("orphan.json", b"{}"), ("notes.txt", b"x"), ("1.xmp", b"<x/>")]
    archive = open_archive(str(write_shard(tmp_path / "s.tar", members)))
    assert [entry.photo_id for entry in archive.list()] == ["s.tar#0.jpg"]
    assert archive.left_out == {"sidecars without a photo": 3}


def test_a_link_to_a_shard_says_what_to_name(tmp_path):
    """As one photo it would be a reject, and the archive look empty."""
    (tmp_path / "link.tar").symlink_to(write_shard(tmp_path / "s.tar", labelled("0", "cat")))
    with pytest.raises(InputNotFoundError, match=r"link\.tar' is a link; expected the file that it leads to"):
        open_archive(str(tmp_path / "link.tar"))


def test_directories_are_no_photos(tmp_path):
    """They hold nothing of their own."""
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        folder = tarfile.TarInfo("2024")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    assert entries_of(tmp_path / "s.tar") == []


def test_huge_photos_are_refused_before_they_are_read(tmp_path, monkeypatch):
    """The header says how large a member is."""
    monkeypatch.setattr(photos, "MAX_BYTES", 10)
    shard = write_shard(tmp_path / "shard.tar", [("1.jpg", b"x" * 1000)])
    with pytest.raises(PhotoTooLargeError, match="has 1000 bytes; expected at most 10"):
        photos_of(shard)[0].read()


def test_a_member_that_is_gone_is_a_reject(tmp_path):
    """A shard that was written anew since its listing is read as it is now."""
    shard = write_shard(tmp_path / "s.tar", [("1.jpg", b"one"), ("2.jpg", b"two")])
    uris = [entry.uri for entry in entries_of(shard)]
    write_shard(shard, [("2.jpg", b"other two")])
    first, second = read_photos(uris)
    with pytest.raises(UnreadablePhotoError, match="is not in the shard"):
        first.read()
    assert second.read() == b"other two"
    shard.unlink()
    with pytest.raises(UnreadablePhotoError, match="cannot read"):
        read(uris[1])


@pytest.mark.parametrize("keep", [0, 100, 1024, 1100, 2048])
def test_a_cut_shard_is_refused(tmp_path, keep):
    """Cut anywhere, at the border of two members as well: no photo is left out silently."""
    shard = write_shard(tmp_path / "shard.tar", labelled("1", "cat"))
    shard.write_bytes(shard.read_bytes()[:keep])
    with pytest.raises(InputNotFoundError, match=r"cannot read .*shard\.tar: .*; expected an uncompressed tar shard"):
        entries_of(shard)


def test_a_damaged_header_is_refused(tmp_path):
    """The library would take it for the end of the tar."""
    shard = write_shard(tmp_path / "shard.tar", [*labelled("1", "cat"), *labelled("2", "dog")])
    data = bytearray(shard.read_bytes())
    data[2 * 1024 + 3] ^= 0xFF  # in the name of the third member: its checksum no longer fits
    shard.write_bytes(data)
    with pytest.raises(InputNotFoundError, match="cut off or damaged at byte 2,048"):
        entries_of(shard)


def test_a_member_of_impossible_size_is_refused(tmp_path):
    """A header may claim more than any file holds."""
    shard = tmp_path / "shard.tar"
    huge = tarfile.TarInfo("2.jpg")
    huge.size = 10**15
    shard.write_bytes(write_shard(tmp_path / "good.tar", labelled("1", "cat")).read_bytes()[:2048] + huge.tobuf())
    with pytest.raises(InputNotFoundError, match="cannot read"):
        entries_of(shard)


def test_a_folder_and_a_pattern_of_shards_are_archives(tmp_path):
    """All shards of a folder are one archive; a pattern names some of them; the order is that of their names."""
    encoded = [jpeg(scene(seed)) for seed in range(3)]
    for number, data in enumerate(encoded):
        write_shard(tmp_path / f"train-{number}.tar", [("1.jpg", data), ("1.cls", str(number).encode())])
    found = photos_of(tmp_path)
    assert [(one.read(), one.label()) for one in found] == [(data, str(n)) for n, data in enumerate(encoded)]
    assert [one.label() for one in photos_of(tmp_path / "train-[12].tar")] == ["1", "2"]
    assert len(photos_of(tmp_path / "train-0.tar")) == 1


def test_a_time_that_no_date_can_hold_is_none(tmp_path):
    """A header may hold any number; the photo is as good as another."""
    with tarfile.open(tmp_path / "s.tar", "w", format=tarfile.GNU_FORMAT) as tar:
        info = tarfile.TarInfo("1.jpg")
        info.mtime, info.size = 2**60, 1
        tar.addfile(info, io.BytesIO(b"x"))
    (entry,) = entries_of(tmp_path / "s.tar")
    assert entry.modified_at is None
    assert read(entry.uri) == b"x"


def test_a_shard_that_fails_under_a_read_is_a_reject(tmp_path, monkeypatch):
    """A disk or a network that fails costs this photo; the message names the shard."""
    shard = write_shard(tmp_path / "s.tar", [("1.jpg", b"one")])
    (photo,) = photos_of(shard)

    def failing(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pread", failing)
    with pytest.raises(UnreadablePhotoError, match=r"s\.tar cannot be read: Input/output error"):
        photo.read()


def test_the_headers_of_a_shard_are_read_once(tmp_path, monkeypatch):
    """Reading photo by photo would walk through the shard for each; one that was written anew is read anew."""
    opens = []
    opened = tarfile.open
    shard = write_shard(tmp_path / "s.tar", [(f"{number}.jpg", b"x") for number in range(50)])
    monkeypatch.setattr(tarfile, "open", lambda **options: opens.append(options) or opened(**options))
    assert [photo.read() for photo in photos_of(shard)] == [b"x"] * 50
    assert len(opens) == 1
    monkeypatch.setattr(tarfile, "open", opened)
    write_shard(shard, [("0.jpg", b"another")])
    assert read(f"{shard.as_uri()}#0.jpg") == b"another"


def test_many_threads_read_the_headers_of_a_shard_once(tmp_path, monkeypatch):
    """Sixteen readers that begin together do not fetch the headers of a shard in a bucket sixteen times."""
    opens = []
    shard = write_shard(tmp_path / "s.tar", [(f"{number}.jpg", b"x") for number in range(16)])
    members_of = tar_shards.members_of
    monkeypatch.setattr(tar_shards, "members_of", lambda file: opens.append(file) or members_of(file))
    photos = read_photos(f"{shard.as_uri()}#{number}.jpg" for number in range(16))
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda photo: photo.read(), photos)) == [b"x"] * 16
    assert len(opens) == 1


def test_another_process_reads_a_photo_without_a_look_at_the_headers(tmp_path, monkeypatch):
    """It is sent the place; a shard that is gone, and a name that is not in it, are errors there too."""
    shard = write_shard(tmp_path / "s.tar", [("1.jpg", b"one"), ("2.jpg", b"two")])
    uris = [entry.uri for entry in entries_of(shard)]
    sent = [pickle.dumps(photo.read) for photo in read_photos([*uris, f"{uris[0]}0", "file:///nowhere.tar#1.jpg"])]
    monkeypatch.setattr(places, "look_up", lambda *_: pytest.fail("it was looked up"))
    monkeypatch.setattr(places, "open_file", lambda *_: pytest.fail("its headers were read"))
    one, two, missing, gone = (pickle.loads(read) for read in sent)  # noqa: S301
    assert (one(), two()) == (b"one", b"two")
    with pytest.raises(UnreadablePhotoError, match="is not in the shard"):
        missing()
    with pytest.raises(UnreadablePhotoError, match=r"cannot read /nowhere\.tar"):
        gone()
