"""Sidecars: no entries of their own, and told with the photo that they stand beside."""

import os
import tarfile
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

import obstore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import from_url

from foundation.archives.archive import open_archive, read_sidecar
from foundation.archives.photos import Entry, UnreadablePhotoError
from foundation.archives.sidecars import ORPHANED, TOO_LARGE, pair_sidecars, parse_sidecar
from foundation.photos.metadata import MAX_XMP_BYTES, GivenMetadata
from tests.foundation.archives.test_tar_shards import write_shard
from tests.foundation.photos.test_metadata import CREATOR, DESCRIPTION, xmp_block

XMP = xmp_block(DESCRIPTION + CREATOR, 'xmp:CreateDate="2019-05-04T12:00:01"')
TOLD = GivenMetadata(None, datetime(2019, 5, 4, 12, 0, 1, tzinfo=timezone.utc), "A flood in Győr", "Ann Lee", None)


def pairs(names: list[str]) -> tuple[list[tuple[str, str]], Counter[str]]:
    """Returns (photo, its sidecar) of a listing of these names, in its order, and what was left out."""
    left_out: Counter[str] = Counter()
    entries = pair_sidecars([Entry(name, name, 1, None) for name in names], left_out)
    return [(entry.photo_id, entry.sidecar_uri or "") for entry in entries], left_out


@pytest.mark.parametrize(
    ("names", "expected", "orphans"),
    [
        (["a.jpg", "a.xmp"], [("a.jpg", "a.xmp")], 0),
        (["a.jpg", "a.jpg.xmp"], [("a.jpg", "a.jpg.xmp")], 0),
        (["a.JPG", "a.XMP"], [("a.JPG", "a.XMP")], 0),
        (["a.XMP", "a.jpg"], [("a.jpg", "a.XMP")], 0),
        (["a.jpg", "a.jpg.xmp", "a.xmp"], [("a.jpg", "a.jpg.xmp")], 1),
        (["a.XMP", "a.jpg", "a.jpg.xmp"], [("a.jpg", "a.jpg.xmp")], 0),
        (["a.cr2", "a.jpg", "a.xmp"], [("a.cr2", "a.xmp"), ("a.jpg", "a.xmp")], 0),
        (["a.cr2", "a.cr2.xmp", "a.jpg", "a.xmp"], [("a.cr2", "a.cr2.xmp"), ("a.jpg", "a.xmp")], 0),
        (["a.b.jpg", "a.b.xmp", "a.jpg"], [("a.b.jpg", "a.b.xmp"), ("a.jpg", "")], 0),
        (
            ["a.bmp", "a.c.jpg", "a.c.xmp", "a.d.jpg", "a.xmp"],
            [("a.bmp", "a.xmp"), ("a.c.jpg", "a.c.xmp"), ("a.d.jpg", "")],
            0,
        ),
        (["a-1.jpg", "a.jpg", "a.xmp", "a_2.jpg"], [("a-1.jpg", ""), ("a.jpg", "a.xmp"), ("a_2.jpg", "")], 0),
        (["a.jpg", "a1.xmp", "b.jpg"], [("a.jpg", ""), ("b.jpg", "")], 1),
        (["a.xmp"], [], 1),
        (["x/a.jpg", "y/a.xmp"], [("x/a.jpg", "")], 1),
        (["x.y/a", "x.y/a.xmp"], [("x.y/a", "x.y/a.xmp")], 0),
        ([], [], 0),
    ],
)
def test_a_sidecar_finds_its_photo(names: list[str], expected: list[tuple[str, str]], orphans: int):
    """It has the name of its photo, with or without the ending; the one that repeats the whole name goes first."""
    found, left_out = pairs(names)
    assert found == expected
    assert left_out == ({ORPHANED: orphans} if orphans else {})


NAMES = st.lists(
    st.tuples(
        st.sampled_from(["", "x/", "x.d/"]),
        st.sampled_from(["a", "b", "a.b", "a.z", "ab"]),
        st.sampled_from([".jpg", ".JPG", ".z", ".webp", ".xmp", ".XMP", ".jpg.xmp"]),
    ).map("".join),
    unique=True,
)


@given(NAMES)
def test_looking_nearby_finds_what_looking_everywhere_does(names: list[str]):
    """A listing is never held: in order of names, by folders or by keys, what belongs together stands together."""
    sidecars = [name for name in names if name.lower().endswith(".xmp")]
    expected = {}
    for photo in set(names) - set(sidecars):
        expected[photo] = {name for name in sidecars if name[:-4] in (photo, photo.rpartition(".")[0])}
    by_folder = sorted(names, key=lambda name: (name.rpartition("/")[0], name))
    for order in (sorted(names), by_folder):
        found, _ = pairs(order)
        assert [photo for photo, _ in found] == [name for name in order if name not in sidecars]
        for photo, sidecar in found:
            assert (sidecar in expected[photo]) if expected[photo] else not sidecar
            if exact := {name for name in expected[photo] if name[:-4] == photo}:
                assert sidecar in exact


def test_only_neighbours_are_held():
    """Of a million photos in one folder some are in memory."""
    taken = 0

    def listing():
        nonlocal taken
        for number in range(1_000):
            taken += 2
            yield Entry(f"2024.05.{number:04d}.jpg", "uri", 1, None)
            yield Entry(f"2024.05.{number:04d}.xmp", "uri", 1, None)

    for number, _ in enumerate(pair_sidecars(listing(), Counter()), 1):
        assert taken <= 2 * number + 2


def test_a_folder_of_photos_with_sidecars(tmp_path: Path):
    """The sidecar is no entry, its words are read by its URI, and its version changes with it."""
    (tmp_path / "a.jpg").write_bytes(b"photo")
    (tmp_path / "a.xmp").write_bytes(XMP)
    (tmp_path / "b.jpg").write_bytes(b"photo")
    (tmp_path / "old.xmp").write_bytes(XMP)
    archive = open_archive(str(tmp_path))
    first, second = archive.list()
    assert (first.photo_id, second.photo_id, second.sidecar_uri) == ("a.jpg", "b.jpg", None)
    assert read_sidecar(first.sidecar_uri) == TOLD
    assert archive.left_out == {ORPHANED: 1}
    os.utime(tmp_path / "a.xmp", (0, 0))
    touched = next(archive.list())
    assert touched.sidecar_version != first.sidecar_version
    assert (touched.size_bytes, touched.modified_at, touched.etag) == (first.size_bytes, first.modified_at, first.etag)
    assert next(open_archive(str(tmp_path), exclude=["*.xmp"]).list()).sidecar_uri is None
    assert next(open_archive(str(tmp_path), include=["*.jpg"]).list()).sidecar_uri == first.sidecar_uri


def test_photos_in_a_bucket_have_sidecars_too(bucket: str):
    """Their etag is the version."""
    store = from_url(bucket)
    for name, data in {"x/a.jpg": b"photo", "x/a.jpg.xmp": XMP, "x/b/1.jpg": b"photo"}.items():
        obstore.put(store, name, data)
    first, second = open_archive(bucket).list()
    assert read_sidecar(first.sidecar_uri) == TOLD
    assert second.sidecar_uri is None
    obstore.put(store, "x/a.jpg.xmp", XMP.replace(b"Ann", b"Bob"))
    changed = next(open_archive(bucket).list())
    assert changed.sidecar_version != first.sidecar_version
    assert (changed.etag, changed.size_bytes) == (first.etag, first.size_bytes)


def test_sidecars_in_a_shard(tmp_path: Path):
    """XMP goes before the JSON and the text that WebDataset keeps under the same key."""
    members = [
        ("1.jpg", b""),
        ("1.xmp", XMP),
        ("1.json", b'{"caption": "no"}'),
        ("2.jpg", b""),
        ("2.txt", b"no"),
        (
            "2.json",
            b'{"caption": "A \\u0000 cat", "credit": "Desk", "published_at": "2024-05-31", "source": "x", "url": 1}',
        ),
        ("3.seg.png", b""),
        ("3.txt", b"A dog\n"),
        ("4.jpg", b""),
    ]
    entries = list(open_archive(str(write_shard(tmp_path / "s.tar", members))).list())
    assert [entry.photo_id for entry in entries] == ["s.tar#1.jpg", "s.tar#2.jpg", "s.tar#3.seg.png", "s.tar#4.jpg"]
    found = [entry.sidecar_uri and read_sidecar(entry.sidecar_uri) for entry in entries]
    day = datetime(2024, 5, 31, tzinfo=timezone.utc)
    assert found == [TOLD, GivenMetadata(day, None, "A cat", "Desk", "x"), GivenMetadata(caption="A dog"), None]


def test_a_sidecar_in_a_shard_that_is_no_file_is_none(tmp_path: Path):
    """A link leads nowhere, and a long text would fill the memory: the next one counts."""
    write_shard(tmp_path / "s.tar", [("1.jpg", b""), ("1.json", b" " * (MAX_XMP_BYTES + 1)), ("1.txt", b"A dog")])
    with tarfile.open(tmp_path / "s.tar", "a") as tar:
        link = tarfile.TarInfo("1.xmp")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    (entry,) = open_archive(str(tmp_path / "s.tar")).list()
    assert read_sidecar(entry.sidecar_uri).caption == "A dog"


def test_a_sidecar_that_is_no_file_is_an_entry(tmp_path: Path):
    """It becomes a reject that says so, and nothing outside of the archive is read for a caption."""
    (tmp_path / "a.jpg").write_bytes(b"photo")
    (tmp_path / "a.xmp").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "b.xmp")
    entries = list(open_archive(str(tmp_path)).list())
    assert [entry.photo_id for entry in entries] == ["a.jpg", "a.xmp", "b.xmp"]
    assert [entry.sidecar_uri for entry in entries] == [None] * 3


def test_a_sidecar_that_is_gone_is_an_error(tmp_path: Path):
    """Nobody may take it for one that says nothing: it would not be looked at again."""
    with pytest.raises(UnreadablePhotoError):
        read_sidecar((tmp_path / "a.xmp").as_uri())
    (tmp_path / "a.xmp").symlink_to("/etc/passwd")
    with pytest.raises(UnreadablePhotoError, match="is a link"):
        read_sidecar((tmp_path / "a.xmp").as_uri())


BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "'
    + b"x" * 10_000
    + b'"><!ENTITY b "'
    + b"&a;" * 10_000
    + b'">]><dc:creator>&b;</dc:creator>'
)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.xmp", b""),
        ("a.xmp", BOMB),
        ("a.xmp", b"\xff\xfe" * 1_000),
        ("a.xmp", XMP + b" " * MAX_XMP_BYTES),
        ("a.json", b'{"caption": "' + b"x" * MAX_XMP_BYTES + b'"}'),
        ("a.json", b"[" * 100_000),
        ("a.json", b'["caption"]'),
        ("a.json", b'{"caption": {"a": 1}, "credit": null, "published_at": 5, "source": ["x"]}'),
        ("a.json", b'{"published_at": "2999-01-01"}'),
        ("a.txt", b"\0\n "),
    ],
)
def test_a_hostile_sidecar_tells_nothing(name: str, data: bytes):
    """Bombs, depths, other types and dates that cannot be meant cost the photo nothing but these words."""
    assert parse_sidecar(name, data) == GivenMetadata()


def test_a_sidecar_too_large_to_be_read_is_counted(tmp_path: Path):
    """It is not opened; the photo stays."""
    (tmp_path / "a.jpg").write_bytes(b"photo")
    (tmp_path / "a.xmp").write_bytes(b" " * (MAX_XMP_BYTES + 1))
    archive = open_archive(str(tmp_path))
    assert [entry.sidecar_uri for entry in archive.list()] == [None]
    assert archive.left_out == {TOO_LARGE: 1}


def test_xmp_says_when_a_photo_was_published():
    """PRISM's date of publication and Photoshop's source are what an editor's program writes."""
    prism = 'xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/" prism:publicationDate="2020-01-02"'
    told = parse_sidecar("a.xmp", xmp_block(attributes=f'{prism} photoshop:Source="Agency" photoshop:Credit="Lee"'))
    assert told == GivenMetadata(datetime(2020, 1, 2, tzinfo=timezone.utc), None, None, "Lee", "Agency")
