"""The list of queries as workers read it."""

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError, TemporaryError
from foundation.store.files import Store
from pipelines.lookup.work_file import read_all_names, read_names, write_queries
from serving.queries import Listed
from tests.faulty import faulty_s3
from tests.foundation.archives.test_buckets import fill


def test_chunks_are_read_alone_and_in_order(tmp_path: Path) -> None:
    """And it is told how many there are so far."""
    store, told = Store(tmp_path, create=True), []
    listed = [Listed(f"{number}.jpg", number) for number in range(7)]
    written = write_queries(tmp_path / "q", listed, per_chunk=3, on_listed=told.append)
    assert written.queries == 7
    assert told == [3, 6, 7]
    assert read_names(store, "q", written.digest, 1) == ["3.jpg", "4.jpg", "5.jpg"]
    assert list(read_all_names(store, "q", written.digest)) == [
        ["0.jpg", "1.jpg", "2.jpg"],
        ["3.jpg", "4.jpg", "5.jpg"],
        ["6.jpg"],
    ]


def test_the_digest_tells_another_state_of_a_photo(tmp_path: Path) -> None:
    """The same list has the same one, whoever wrote it."""
    time = datetime(2024, 5, 31, tzinfo=timezone.utc)
    lists = [[Listed("a")], [Listed("a", 1)], [Listed("a", 1, time)], [Listed("a", 1, time, "e")], [Listed("b")], []]
    digests = [write_queries(tmp_path / "q", one, per_chunk=2).digest for one in lists]
    assert len(set(digests)) == len(lists)
    assert digests == [write_queries(tmp_path / "other", one, per_chunk=2).digest for one in lists]


@pytest.mark.parametrize("place", ["bucket", "disk"])
def test_names_alone_tell_another_state_of_a_photo_too(bucket: str, tmp_path: Path, place: str) -> None:
    """A list tells no sizes: the file is looked at, on disk or in a bucket, one inside a shard as well."""
    (tmp_path / "photos").mkdir()
    top = bucket if place == "bucket" else f"file://{tmp_path}/photos"
    fill(top, {"a.jpg": b"one", "b.tar": b"shard"})
    listed = [Listed(f"{top}/{name}") for name in ("a.jpg", "missing.jpg", "b.tar#1.jpg", "b.tar#2.jpg")]

    def digest() -> str:
        return write_queries(tmp_path / "q", listed, per_chunk=3).digest

    digests = [digest()]
    assert digest() == digests[0]
    for name in ("a.jpg", "b.tar", "missing.jpg"):
        fill(top, {name: b"another"})
        digests.append(digest())
    assert len(set(digests)) == 4


def test_a_bucket_that_does_not_answer_ends_the_listing(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unknown states would make another lookup of the same list the next time."""
    with faulty_s3(monkeypatch) as faults:
        faults.share, faults.kinds = 1.0, ("503",)
        with pytest.raises(TemporaryError, match="run again later"):
            write_queries(tmp_path / "q", [Listed(f"{bucket}/a.jpg")], per_chunk=2)


def test_a_line_of_a_bucket_without_credentials_ends_no_lookup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs that query alone: its answer says what is missing."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")
    listed = [Listed(str(tmp_path / "a.jpg")), Listed("s3://newsdesk/a.jpg")]
    assert write_queries(tmp_path / "q", listed, per_chunk=2).queries == 2


@pytest.mark.parametrize(
    "damage", [lambda whole: b"PAR1", lambda whole: whole.replace(b"a.jpg", b"b.jpg"), lambda whole: whole[:90]]
)
def test_a_damaged_list_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    """With what to do about it; a bit that is flipped in a name is noticed, too."""
    store, path = Store(tmp_path, create=True), tmp_path / "q"
    digest = write_queries(path, [Listed("a.jpg")], per_chunk=1).digest
    path.write_bytes(damage(path.read_bytes()))
    for read in (lambda: read_names(store, "q", digest, 0), lambda: list(read_all_names(store, "q", digest))):
        with pytest.raises(ArtifactRefusedError, match=r"q is damaged .* delete it and run the same lookup again"):
            read()


def test_what_is_damaged_later_is_refused(tmp_path: Path) -> None:
    """A process holds the list against its digest once."""
    store, path = Store(tmp_path, create=True), tmp_path / "q"
    digest = write_queries(path, [Listed("a.jpg")], per_chunk=1).digest
    assert read_names(store, "q", digest, 0) == ["a.jpg"]
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(ArtifactRefusedError, match=r"q is damaged .* delete it and run the same lookup again"):
        read_names(store, "q", digest, 0)
