"""Archives in buckets: folder trees, tar shards and Parquet files, listed and read as they are on local disk."""

import io
import os

import obstore
import pyarrow as pa
import pytest
from obstore.store import from_url
from pyarrow import parquet

from foundation.archives.archive import open_archive, read, read_photos
from foundation.archives.photos import UnreadablePhotoError
from foundation.errors import InputNotFoundError
from tests.foundation.archives.test_tar_shards import write_shard


def fill(uri: str, files: dict[str, bytes]) -> None:
    """Writes objects below a prefix."""
    store = from_url(uri)
    for name, data in files.items():
        obstore.put(store, name, data)


def shard(tmp_path, names: list[str]) -> bytes:
    """A tar of members that hold their own names."""
    return write_shard(tmp_path / "made.tar", [(name, name.encode()) for name in names]).read_bytes()


def table(rows: list[bytes]) -> bytes:
    """A Parquet file of photos, of small row groups."""
    written = io.BytesIO()
    parquet.write_table(pa.table({"image": rows}), written, row_group_size=2)
    return written.getvalue()


def contents(uri: str) -> list[tuple[str, bytes]]:
    """The photo_ids and bytes of an archive, in order."""
    entries = list(open_archive(uri).list())
    photos = read_photos(entry.uri for entry in entries)
    return [(entry.photo_id, photo.read()) for entry, photo in zip(entries, photos, strict=True)]


def test_a_folder_tree(any_bucket):
    """Every object below the prefix is an entry, in the order of the keys, with size, time and etag."""
    names = ["a.jpg", "b/1.jpg", "b-2.jpg", "b/x y#%20ü.jpg", "no-suffix"]
    fill(any_bucket, {name: name.encode() for name in names})
    fill(f"{any_bucket}-beside", {"other.jpg": b"x"})
    assert contents(any_bucket) == [(name, name.encode()) for name in sorted(names)]
    archive = open_archive(f"{any_bucket}/")
    assert (archive.uri, archive.folder) == (any_bucket, None)
    entry = next(archive.list())
    assert (entry.size_bytes, entry.uri) == (5, f"{any_bucket}/a.jpg")
    assert None not in (entry.modified_at, entry.etag)


def test_shards_and_tables(any_bucket, tmp_path):
    """Of tars and Parquet files the photos are listed; the state of the file stands in the etag of each."""
    fill(
        any_bucket,
        {"a.parquet": table([b"0", b"1", b"2"]), "b/1.tar": shard(tmp_path, ["x.jpg", "y #.jpg"]), "c": b"c"},
    )
    assert contents(any_bucket) == [
        ("a.parquet#0", b"0"),
        ("a.parquet#1", b"1"),
        ("a.parquet#2", b"2"),
        ("b/1.tar#x.jpg", b"x.jpg"),
        ("b/1.tar#y #.jpg", b"y #.jpg"),
        ("c", b"c"),
    ]
    before = [entry.etag for entry in open_archive(any_bucket).list()]
    fill(any_bucket, {"a.parquet": table([b"0", b"1", b"3"])})
    after = [entry.etag for entry in open_archive(any_bucket).list()]
    assert [one != two for one, two in zip(before, after, strict=True)] == [True] * 3 + [False] * 3


def test_one_file_and_a_pattern(any_bucket, tmp_path):
    """A shard alone is an archive; an asterisk stands for no slash."""
    fill(any_bucket, {f"{name}.tar": shard(tmp_path, ["x.jpg"]) for name in ("a/1", "a/2", "b/1")})
    assert [name for name, _ in contents(f"{any_bucket}/a/1.tar")] == ["1.tar#x.jpg"]
    assert [name for name, _ in contents(f"{any_bucket}/*/1.tar")] == ["a/1.tar#x.jpg", "b/1.tar#x.jpg"]
    assert [name for name, _ in contents(f"{any_bucket}/a/[2].tar")] == ["2.tar#x.jpg"]


@pytest.mark.parametrize("name", ["nothing", "nothing/*.tar", "1.jpg"])
def test_what_is_no_archive_is_refused(any_bucket, name):
    """A prefix without objects, a pattern without matches, and a single photo."""
    fill(any_bucket, {"1.jpg": b"x"})
    with pytest.raises(InputNotFoundError, match=r"does not exist|is a file; expected a folder"):
        open_archive(f"{any_bucket}/{name}")


def test_what_cannot_be_read_is_a_reject(any_bucket, tmp_path):
    """An object that is gone, a member that never was, a shard that is none."""
    fill(any_bucket, {"s.tar": shard(tmp_path, ["x.jpg"]), "bad.tar": b"x" * 2000})
    for name in (
        "gone.jpg",
        "s.tar#y.jpg",
        "bad.tar#x.jpg",
        "gone.tar#x.jpg",
        "gone.parquet#0",
        "caf%E9.jpg",
        "a//b.jpg",
    ):
        with pytest.raises(UnreadablePhotoError):
            read(f"{any_bucket}/{name}")
    with pytest.raises(InputNotFoundError, match=r"bad\.tar"):
        list(open_archive(f"{any_bucket}/bad.tar").list())


def test_markers_of_empty_folders_are_no_photos(bucket):
    """A console creates `NAME/`; an object of no bytes is a photo like another, and the decoder's to judge."""
    import boto3

    name, _, prefix = bucket.removeprefix("s3://").partition("/")
    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    client.put_object(Bucket=name, Key=f"{prefix}/folder/", Body=b"")
    fill(bucket, {"empty.jpg": b"", "folder/1.jpg": b"x"})
    assert contents(bucket) == [("empty.jpg", b""), ("folder/1.jpg", b"x")]
