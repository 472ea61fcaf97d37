"""Tar shards of photos: read in order with their labels, never extracted, refused when broken."""

import io
import json
import tarfile

import pytest

from foundation.archives import tar_shards
from foundation.archives.tar_shards import count_photos, read_photos
from foundation.archives.training_sources import open_source
from foundation.errors import InputNotFoundError
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
    samples = list(read_photos(shard))
    assert [sample.label for sample in samples] == ["cat", "dog", "7", None, None]
    assert samples[0].read() == b"photo a/1"
    assert count_photos(shard) == 5


def test_links_and_devices_are_no_photos(tmp_path):
    """What is not a plain file is passed over: nothing outside the tar is ever read."""
    path = tmp_path / "shard.tar"
    with tarfile.open(path, "w") as tar:
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    assert count_photos(path) == 0
    assert list(read_photos(path)) == []


def test_huge_photos_are_cut(tmp_path, monkeypatch):
    """A member is read up to the bound; the decoder then rejects it."""
    monkeypatch.setattr(tar_shards, "MAX_READ_BYTES", 10)
    shard = write_shard(tmp_path / "shard.tar", [("1.jpg", b"x" * 1000)])
    assert len(next(read_photos(shard)).read()) == 10


@pytest.mark.parametrize("read", [lambda shard: list(read_photos(shard)), count_photos])
@pytest.mark.parametrize("keep", [0, 100, 1024, 1100, 2048])
def test_a_cut_shard_is_refused(tmp_path, keep, read):
    """Cut anywhere, at the border of two members as well: no photo is left out silently."""
    shard = write_shard(tmp_path / "shard.tar", labelled("1", "cat"))
    shard.write_bytes(shard.read_bytes()[:keep])
    with pytest.raises(InputNotFoundError, match=r"cannot read .*shard\.tar: .*; expected an uncompressed tar shard"):
        read(shard)


def test_a_damaged_header_is_refused(tmp_path):
    """The library would take it for the end of the tar."""
    shard = write_shard(tmp_path / "shard.tar", [*labelled("1", "cat"), *labelled("2", "dog")])
    data = bytearray(shard.read_bytes())
    data[2 * 1024 + 3] ^= 0xFF  # in the name of the third member: its checksum no longer fits
    shard.write_bytes(data)
    with pytest.raises(InputNotFoundError, match="cut off or damaged at byte 2,048"):
        count_photos(shard)


def test_a_member_of_impossible_size_is_refused(tmp_path):
    """A header may claim more than any file holds."""
    shard = tmp_path / "shard.tar"
    huge = tarfile.TarInfo("2.jpg")
    huge.size = 10**15
    shard.write_bytes(write_shard(tmp_path / "good.tar", labelled("1", "cat")).read_bytes()[:2048] + huge.tobuf())
    with pytest.raises(InputNotFoundError, match="cannot read"):
        list(read_photos(shard))


def test_a_folder_and_a_pattern_of_shards_are_sources(tmp_path):
    """All shards of a folder are one source; a pattern names some of them; the order is that of their names."""
    photos = [jpeg(scene(seed)) for seed in range(3)]
    for number, data in enumerate(photos):
        write_shard(tmp_path / f"train-{number}.tar", [("1.jpg", data), ("1.cls", str(number).encode())])
    (tmp_path / "index.json").write_text("{}")  # what lies beside shards is no photo
    source = open_source(str(tmp_path))
    found = list(source.read(range(source.photos)))
    assert [(one.read(), one.label) for one in found] == [(data, str(n)) for n, data in enumerate(photos)]
    part = open_source(str(tmp_path / "train-[12].tar"))
    assert [one.label for one in part.read([0, 1])] == ["1", "2"]
    assert [one.label for one in part.read([1])] == ["2"]
    assert open_source(str(tmp_path / "train-0.tar")).photos == 1


def test_a_pattern_without_files_is_refused(tmp_path):
    """A misspelt pattern is no empty training."""
    with pytest.raises(InputNotFoundError, match=r"no photos in the source .*\*\.tar"):
        open_source(str(tmp_path / "*.tar"))
