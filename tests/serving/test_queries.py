"""Queries: whatever names photos on a command line becomes one stream of names."""

import io
import itertools
import os
import re
import tarfile
from pathlib import Path

import obstore
import pyarrow as pa
import pytest
from obstore.store import from_url
from pyarrow import parquet

from foundation.archives import folders
from foundation.archives.archive import read
from foundation.archives.photos import UnreadablePhotoError
from foundation.archives.uris import uri_of
from foundation.errors import InputNotFoundError, UsageError
from serving.match.query import open_queries
from serving.queries import Listed, list_queries, read_query


def queries(*arguments: str, stdin: str = "") -> list[str]:
    """Returns all names."""
    return [one.name for one in list_queries(arguments, stdin=io.StringIO(stdin))]


def test_names_are_kept_as_given() -> None:
    """A photo, a URI and a photo that is missing are named in their order: the answer says what is wrong."""
    given = ["b.jpg", "file:///x/100%25.jpg", "missing/a.jpg", "b.jpg"]
    assert queries(*given) == given


def test_a_dash_reads_stdin_lazily() -> None:
    """One name a line; blank lines count for nothing, spaces inside and around a name stay."""
    assert queries("a", "-", "z", stdin="one\n\n two words \r\n\t\nlast") == ["a", "one", " two words ", "last", "z"]
    endless = (f"{number}\n" for number in iter(int, 1))
    assert next(list_queries(["-"], stdin=endless)).name == "0"


def test_a_folder_is_walked_by_path_or_uri(tmp_path: Path) -> None:
    """Every file below is a query, in the order of the listing, named by its path."""
    for name in ("b/2.jpg", "1 %.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    expected = [str(tmp_path / "1 %.jpg"), str(tmp_path / "b" / "2.jpg")]
    assert queries(str(tmp_path)) == queries(uri_of(tmp_path)) == expected


def test_what_no_archive_takes_for_a_photo_is_no_query(tmp_path: Path) -> None:
    """Files of the system and sidecars lie beside photos; whatever else is none gets an answer that says so."""
    for name in ("a.jpg", "a.xmp", ".DS_Store", "@eaDir/a.jpg", "Thumbs.db", ".hidden.jpg", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert [Path(one).name for one in queries(str(tmp_path))] == [".hidden.jpg", "a.jpg", "notes.txt"]


def test_a_name_that_is_not_utf8_becomes_a_uri(tmp_path: Path) -> None:
    """No format could write it as it is; the URI leads to the same file, from a folder, an argument or stdin."""
    path = tmp_path / os.fsdecode(b"caf\xe9.jpg")
    path.write_bytes(b"x")
    found = queries(str(tmp_path), str(path), "-", stdin=f"{path}\n")
    assert found == [uri_of(path)] * 3
    assert read(found[0]) == b"x"


def test_an_inventory_is_read_by_its_uris(tmp_path: Path) -> None:
    """The uri column of any Parquet file, over all its row groups."""
    path = tmp_path / "I.PARQUET"
    parquet.write_table(pa.table({"uri": ["a", "b", "c"], "other": [1, 2, 3]}), path, row_group_size=1)
    assert queries(str(path)) == ["a", "b", "c"]


def test_a_bad_inventory_is_an_input_error(tmp_path: Path) -> None:
    """Without uris, without Parquet inside, or missing: each is named."""
    parquet.write_table(pa.table({"path": ["a"]}), tmp_path / "columns.parquet")
    (tmp_path / "text.parquet").write_text("a\nb\n")
    for name, message in [
        ("columns", r"has the columns \['path'\]; expected uri among them"),
        ("text", "cannot be read"),
        ("missing", "cannot read"),
    ]:
        with pytest.raises(InputNotFoundError, match=message):
            queries(str(tmp_path / f"{name}.parquet"))


def test_a_pipe_called_parquet_is_not_waited_for(tmp_path: Path) -> None:
    """It holds no inventory, and to open it would wait for whoever writes to it."""
    os.mkfifo(tmp_path / "pipe.parquet")
    with pytest.raises(InputNotFoundError, match="is not a regular file"):
        list(list_queries([str(tmp_path / "pipe.parquet")], stdin=[]))


def test_an_inventory_with_holes_or_of_another_type(tmp_path: Path) -> None:
    """A missing uri is a query of no name, which is rejected; numbers are no uris."""
    parquet.write_table(pa.table({"uri": ["a.jpg", None]}), tmp_path / "holes.parquet")
    assert queries(str(tmp_path / "holes.parquet")) == ["a.jpg", ""]
    with pytest.raises(UnreadablePhotoError, match="a query has no name; expected a path or a URI"):
        read_query("")
    for kind in (pa.string_view(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())):
        parquet.write_table(pa.table({"uri": pa.array(["a.jpg", None], kind)}), tmp_path / "other.parquet")
        assert queries(str(tmp_path / "other.parquet")) == ["a.jpg", ""]
    parquet.write_table(pa.table({"uri": [1, 2]}), tmp_path / "numbers.parquet")
    with pytest.raises(InputNotFoundError, match="expected text"):
        list(list_queries([str(tmp_path / "numbers.parquet")], stdin=[]))


ADDRESSES = [
    *("http://h/a.jpg", "HTTPS://h/a.jpg", "ftp://h/a.jpg", "data:image/png;base64,AAAA", "data:,x"),
    *("hdfs://h/a.jpg", "azure+blob://a"),
]


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_is_not_fetched(name: str) -> None:
    """As an argument it ends the lookup at once, in a list it is a query that cannot be read: both name it whole."""
    remedy = "addresses are not fetched: download the photo"
    with pytest.raises(UsageError, match=remedy) as refused:
        list_queries([name], stdin=[])
    assert repr(name) in str(refused.value)
    assert queries("-", stdin=f"{name}\n") == [name]
    with pytest.raises(UnreadablePhotoError, match=remedy):
        read_query(name)


@pytest.mark.parametrize("name", ["S3://b/a.jpg", "Gs://b/a.jpg", "FILE:///a.jpg"])
def test_a_scheme_in_capitals_is_to_be_written_small(name: str) -> None:
    """There is nothing to download: the photo lies in a place that is read."""
    scheme, _, rest = name.partition("://")
    remedy = re.escape(f"{name!r}: its scheme is in capitals; expected {scheme.lower()}://{rest}")
    with pytest.raises(UsageError, match=remedy):
        list_queries([name], stdin=[])
    with pytest.raises(UnreadablePhotoError, match=remedy):
        read_query(name)


def test_a_long_address_is_shortened() -> None:
    """A data URI is as long as the photo that it holds."""
    with pytest.raises(UnreadablePhotoError) as refused:
        read_query("data:image/png;base64," + "A" * 10_000)
    assert len(str(refused.value)) < 200


def test_photos_in_a_bucket_are_queries(bucket: str, tmp_path: Path) -> None:
    """One by its URI, all below a prefix that ends with a slash, those of an inventory; a missing one is a reject."""
    for name in ("a.jpg", "b/1 #.jpg"):
        obstore.put(from_url(bucket), name, name.encode())
    found = queries(f"{bucket}/")
    assert found == [f"{bucket}/a.jpg", f"{bucket}/b/1%20%23.jpg"]
    assert [read_query(name) for name in queries(*found)] == [b"a.jpg", b"b/1 #.jpg"]
    parquet.write_table(pa.table({"uri": found}), tmp_path / "i.parquet")
    obstore.put(from_url(bucket), "i.parquet", tmp_path / "i.parquet")
    assert queries(f"{bucket}/i.parquet") == found
    with pytest.raises(UnreadablePhotoError, match="does not exist"):
        read_query(f"{bucket}/missing.jpg")


@pytest.mark.parametrize("name", ["data:1.jpg", "http.jpg", "s3.jpg"])
def test_a_file_whose_name_begins_like_an_address(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read."""
    (tmp_path / name).write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    assert queries(name) == [name]
    assert read_query(name) == b"x"


def test_a_path_that_cannot_be_looked_at_is_a_query(tmp_path: Path) -> None:
    """Too long a name, as an argument or in a list, is for the answer to reject."""
    names = ["x" * 300, str(tmp_path / ("y/" * 3_000))]
    assert queries(*names) == queries("-", stdin="\n".join(names)) == names


def test_a_folder_that_cannot_be_listed_is_told_before_any_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers to what stands before it would otherwise be begun, and lost."""

    def refuse(folder: Path) -> None:
        raise InputNotFoundError(f"archive {folder} cannot be listed")

    monkeypatch.setattr(folders, "check_folder", refuse)
    with pytest.raises(InputNotFoundError, match="cannot be listed"):
        list_queries(["photo.jpg", str(tmp_path)], stdin=[])


def test_photos_inside_of_files_are_queries_by_their_uris(tmp_path: Path) -> None:
    """A tar shard, a Parquet file with images and a folder of shards: each photo is named as `read_query` takes it."""
    shard, table = tmp_path / "shards" / "s.tar", tmp_path / "t.parquet"
    write_shard(shard, {"a.jpg": b"first", "a.json": b"{}", "b.jpg": b"second"})
    parquet.write_table(pa.table({"image": [b"third", b"fourth", b""]}), table, row_group_size=2)
    in_shard = [f"{uri_of(shard)}#{name}" for name in ("a.jpg", "b.jpg")]
    in_table = [f"{uri_of(table)}#{row}" for row in range(3)]
    assert queries(str(shard)) == queries(str(shard.parent)) == queries(uri_of(shard)) == in_shard
    assert queries(str(table)) == in_table
    names = [in_shard[1], "missing.jpg", *in_table, in_shard[0]]
    photos = [one.read for one in open_queries(names) if one.name != "missing.jpg"]
    assert [read() for read in photos] == [b"second", b"third", b"fourth", b"", b"first"]
    assert [one.name for one in open_queries(names)] == names
    assert queries(in_shard[0]) == [in_shard[0]]


def test_shards_in_a_bucket_hold_queries(bucket: str, tmp_path: Path) -> None:
    """By the URI of a shard, and below a prefix that holds nothing else."""
    write_shard(tmp_path / "s.tar", {"a.jpg": b"first"})
    obstore.put(from_url(bucket), "shards/s.tar", tmp_path / "s.tar")
    name = f"{bucket}/shards/s.tar#a.jpg"
    assert queries(f"{bucket}/shards/s.tar") == queries(f"{bucket}/shards/") == queries(name) == [name]
    assert read_query(name) == b"first"


def test_a_listing_tells_what_it_knows_of_a_photo(tmp_path: Path) -> None:
    """Size and time of files that were listed, nothing of names in a list."""
    (tmp_path / "a.jpg").write_bytes(b"photo")
    os.utime(tmp_path / "a.jpg", (1_500_000_000, 1_500_000_000))
    found, named = list_queries([str(tmp_path), "-"], stdin=["a.jpg\n"])
    assert (found.size_bytes, found.modified_at and found.modified_at.timestamp()) == (5, 1_500_000_000)
    assert named == Listed("a.jpg")


def test_a_relative_query_is_read_from_its_folder_and_named_as_given(tmp_path: Path) -> None:
    """A worker was started elsewhere; what it says of a photo is what the small path says."""
    (tmp_path / "a.jpg").write_bytes(b"photo")
    assert read_query("a.jpg", tmp_path) == b"photo"
    told = []
    for name, folder in itertools.product(("missing/b.jpg", "./missing//b.jpg"), (None, tmp_path)):
        with pytest.raises(UnreadablePhotoError) as caught:
            read_query(name, folder)
        told.append(str(caught.value))
    assert told == ["missing/b.jpg cannot be read: No such file or directory"] * 4


def test_a_record_of_a_data_set_is_read_wherever_the_worker_was_started(tmp_path: Path) -> None:
    """Its name has no folder: it was a file of the folder otherwise, which there is not."""
    told = []
    for folder in (None, tmp_path):
        with pytest.raises(UnreadablePhotoError) as caught:
            read_query("tfds:no_such_set/train#1", folder)
        told.append(str(caught.value))
    assert told[0] == told[1]


def write_shard(path: Path, members: dict[str, bytes]) -> None:
    """Writes a tar shard."""
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w") as shard:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            shard.addfile(member, io.BytesIO(data))
