"""Photos that queries name by their place: below a folder or a prefix that was allowed, and nowhere else."""

import os
from pathlib import Path

import pytest

from foundation.archives.uris import uri_of
from foundation.errors import UsageError
from foundation.photos.rejects import PhotoTooLargeError
from serving.http.bodies import BodyMemory, Room
from serving.http.fetching import Allowance, Fetcher
from serving.http.refusals import UnreachableError, UriRefusedError
from serving.http.web import Web


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is allowed, with a photo, beside a secret."""
    allowed = tmp_path / "photos"
    (allowed / "deep").mkdir(parents=True)
    (allowed / "deep" / "a b.jpg").write_bytes(b"photo")
    (tmp_path / "photos-of-others").mkdir()
    (tmp_path / "photos-of-others" / "secret.jpg").write_bytes(b"secret")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (allowed / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (allowed / "folder-link").symlink_to(tmp_path / "photos-of-others")
    return allowed


def fetch(folder: Path | str, uri: str, most_bytes: int = 1_000) -> bytes:
    """Reads a photo, with this folder allowed."""
    return Fetcher([str(folder)], Web([])).fetch(uri, Allowance(most_bytes, Room(BodyMemory(10**6))))


def test_a_photo_below_the_folder_is_read(folder: Path):
    """Whether the folder was given as a path or as a URI, with or without a slash."""
    uri = uri_of(folder / "deep" / "a b.jpg")
    for given in (str(folder), f"{folder}/", uri_of(folder)):
        assert fetch(given, uri) == b"photo"


@pytest.mark.parametrize(
    "uri",
    [
        *("file://{0}/../secret.jpg", "file://{0}/%2e%2e/secret.jpg", "file://{0}/deep/../../secret.jpg"),
        *("file://{0}/..%2fsecret.jpg", "file://{0}/link.jpg", "file://{0}/folder-link/secret.jpg"),
        *("file://{0}-of-others/secret.jpg", "file:///etc/passwd", "file:///proc/self/environ", "file:///dev/zero"),
        *("file://localhost{0}/deep/a%20b.jpg", "file:deep/a%20b.jpg", "file://deep/a%20b.jpg", "{0}/deep/a b.jpg"),
        *("FILE://{0}/deep/a%20b.jpg", "file://{0}/%00", "file://", "", "a"),
        *("s3://bucket/a.jpg", "gs://bucket/a.jpg", "file://{0}/deep/a%20b.jpg#part", "../secret.jpg", "~/secret.jpg"),
    ],
)
def test_what_lies_elsewhere_is_refused(folder: Path, uri: str):
    """By its place, before it is looked at: the answer is the same whether anything is there."""
    with pytest.raises(UriRefusedError):
        fetch(folder, uri.format(folder))


def test_what_is_no_file_is_not_read(folder: Path):
    """A folder, a pipe that nobody writes to, and what is not there."""
    os.mkfifo(folder / "pipe.jpg")
    for name in ("deep", "pipe.jpg", "gone.jpg"):
        with pytest.raises(UnreachableError):
            fetch(folder, uri_of(folder / name))


def test_a_folder_that_becomes_a_link_while_it_is_opened_gives_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """What was checked is what is read."""
    real_open = os.open

    def swap(path, flags, *rest):
        if str(path).endswith("a b.jpg"):
            (folder / "deep").rename(folder / "gone")
            (folder.parent / "photos-of-others" / "a b.jpg").write_bytes(b"secret")
            (folder / "deep").symlink_to(folder.parent / "photos-of-others")
        return real_open(path, flags, *rest)

    monkeypatch.setattr(os, "open", swap)
    with pytest.raises(UriRefusedError):
        fetch(folder, uri_of(folder / "deep" / "a b.jpg"))


def test_the_photos_of_a_request_have_so_many_bytes_together(folder: Path):
    """The second one is too large where both are."""
    allowance, uri = Allowance(8, Room(BodyMemory(10**6))), uri_of(folder / "deep" / "a b.jpg")
    fetcher = Fetcher([str(folder)], Web([]))
    assert fetcher.fetch(uri, allowance) == b"photo"
    with pytest.raises(PhotoTooLargeError, match="more than 8 bytes together"):
        fetcher.fetch(uri, allowance)


def test_objects_of_a_bucket_are_read_below_their_prefix(bucket: str):
    """A prefix ends at a slash; parents, empty names and other buckets are refused."""
    import boto3

    name = bucket.removeprefix("s3://").partition("/")[0]
    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    for key in ("photos/a.jpg", "photos-secret/a.jpg"):
        client.put_object(Bucket=name, Key=key, Body=b"photo")
    assert fetch(bucket, f"{bucket}/a.jpg") == b"photo"
    with pytest.raises(UnreachableError):
        fetch(bucket, f"{bucket}/gone.jpg")
    for uri in (f"s3://{name}/photos-secret/a.jpg", f"{bucket}/../photos-secret/a.jpg", f"{bucket}//a.jpg", "s3://x/a"):
        with pytest.raises(UriRefusedError):
            fetch(bucket, uri)


@pytest.mark.parametrize("prefix", ["http://img.example.org/", "/no/such/folder", "ftp://x"])
def test_a_prefix_that_cannot_be_one_is_refused_at_the_start(prefix: str):
    """The error names the flag."""
    with pytest.raises(UsageError, match="--allow-uri is"):
        Fetcher([prefix], Web([]))
