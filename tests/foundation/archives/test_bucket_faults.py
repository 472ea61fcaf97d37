"""Buckets on a bad day: what fails for a moment is tried again, and what fails for good is never a shorter listing."""

import multiprocessing
import os
import random
import warnings
from collections.abc import Iterator

import pytest
from obstore import exceptions

from foundation.archives import buckets, tar_shards
from foundation.archives.archive import open_archive, read, read_photos
from foundation.archives.photos import UnreadablePhotoError
from foundation.errors import AccessDeniedError, FirstseenError, TemporaryError
from foundation.objects import translated
from tests.faulty import Faults, faulty_s3
from tests.foundation.archives.test_buckets import contents, fill, shard, table
from tests.foundation.archives.test_tensorflow_examples import example
from tests.foundation.archives.test_tensorflow_records import records


@pytest.fixture
def faults(bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """The faults of all requests to the bucket from now on: none, until the test says so."""
    with faulty_s3(monkeypatch) as planned:
        yield planned


def test_a_share_of_faults_changes_nothing(bucket: str, faults: Faults, tmp_path):
    """A fifth of 503, 429, resets and cut answers: the same names in the same order, and the same bytes."""
    fill(bucket, {f"{number:02d}/x.jpg": bytes(1_000 + number) for number in range(40)})
    fill(f"{bucket}-shards", {"1.tar": shard(tmp_path, ["a.jpg", "b.jpg"]), "2.parquet": table([b"0", b"1", b"2"])})
    whole = [contents(bucket), contents(f"{bucket}-shards")]
    faults.share = 0.2
    assert [contents(bucket), contents(f"{bucket}-shards")] == whole
    assert set(faults.made) == {"503", "429", "reset", "cut"}


def test_an_answer_that_is_cut_is_asked_for_again(bucket: str, faults: Faults):
    """A third of all answers end in their middle: a listing, which obstore does not ask for again, is still whole."""
    fill(bucket, {f"{number:02d}.jpg": bytes(1_000) for number in range(10)})
    whole = contents(bucket)
    faults.share, faults.kinds = 0.33, ("cut",)
    archives = [open_archive(bucket) for _ in range(4)]
    assert [[entry.photo_id for entry in archive.list()] for archive in archives] == [[name for name, _ in whole]] * 4


@pytest.mark.parametrize("kind", ["503", "429", "reset"])
def test_an_outage_ends_a_listing_and_a_read(bucket: str, faults: Faults, kind: str):
    """When no answer comes at all, the scheduler may try again later: exit code 75, and no photo counts as removed."""
    fill(bucket, {"1.jpg": b"x"})
    archive = open_archive(bucket)
    faults.share, faults.kinds = 1.0, (kind,)
    with pytest.raises(TemporaryError, match=r"cannot list s3://.* run again") as caught:
        list(archive.list())
    assert caught.value.exit_code == 75
    assert "\n" not in str(caught.value)
    with pytest.raises(TemporaryError, match=r"cannot read s3://.*1\.jpg"):
        read(f"{bucket}/1.jpg")


@pytest.mark.parametrize("moment", ["before", "between"])
@pytest.mark.parametrize("name", ["folder", "1.tar", "1.parquet", "1.tfrecord"])
def test_an_outage_rejects_no_photo_of_any_archive(bucket: str, faults: Faults, tmp_path, name: str, moment: str):
    """Whatever a photo lies in, and whenever storage goes: nothing follows for the photo, and the run is cut off."""
    large = [bytes([number]) + random.Random(number).randbytes(6 * 2**20) for number in range(3)]  # noqa: S311
    names = [f"{number}.jpg" for number in range(3)]
    kinds = {
        "folder": dict(zip(names, large, strict=True)),
        "1.tar": {name: shard(tmp_path, names)},
        "1.parquet": {name: table(large)},
        "1.tfrecord": {name: records(*(example({"image": one}) for one in large))},
    }
    fill(bucket, kinds[name])
    uris = [entry.uri for entry in open_archive(bucket if name == "folder" else f"{bucket}/{name}").list()]
    tar_shards._index.cache_clear()
    photos = read_photos(uris)
    if moment == "between":
        next(photos).read()
    faults.share, faults.kinds = 1.0, ("503",)
    with pytest.raises(TemporaryError, match=r"cannot read s3://\S+: .* run again later$"):
        _ = [photo.read() for photo in photos]


def test_an_outage_amid_the_shards_ends_the_listing(bucket: str, faults: Faults, tmp_path):
    """A shard whose headers cannot be read is not left out, and is not called damaged."""
    fill(bucket, {"1.tar": shard(tmp_path, ["a.jpg"])})
    archive = open_archive(f"{bucket}/1.tar")
    faults.share, faults.kinds = 1.0, ("503",)
    with pytest.raises(TemporaryError):
        list(archive.list())


def test_a_forked_process_is_refused_and_does_not_hang(bucket: str):
    """obstore's threads stay behind in the parent: a read in the child would wait for ever."""
    fill(bucket, {"1.jpg": b"x"})
    assert read(f"{bucket}/1.jpg") == b"x"
    child = multiprocessing.get_context("fork").Process(target=read, args=(f"{bucket}/1.jpg",))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions of Python warn of threads that a fork loses
        child.start()
    child.join(20)
    assert child.exitcode == 1
    child.kill()


def test_a_shard_that_changes_while_it_is_read_is_a_reject(bucket: str, tmp_path, monkeypatch: pytest.MonkeyPatch):
    """Its photos lie elsewhere now: what is at the old place is not taken for a photo."""
    fill(bucket, {"1.tar": shard(tmp_path, ["a.jpg", "b.jpg"])})
    look_up = buckets.look_up

    def overtaken(uri: str):
        state = look_up(uri)
        monkeypatch.setattr(buckets, "look_up", look_up)
        tar_shards._index(state)
        fill(bucket, {"1.tar": shard(tmp_path, ["longer-name.jpg", "a.jpg"])})
        return state

    monkeypatch.setattr(buckets, "look_up", overtaken)
    with pytest.raises(UnreadablePhotoError, match="changed while it was read"):
        read(f"{bucket}/1.tar#a.jpg")
    assert read(f"{bucket}/1.tar#a.jpg") == b"a.jpg"


def test_a_machine_without_credentials_is_no_outage(monkeypatch: pytest.MonkeyPatch):
    """No later run mends it, and one such line in a list of queries must not end each lookup."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(UnreadablePhotoError, match=r"s3://agency/a\.jpg: no credentials; set AWS_ACCESS_KEY_ID"):
        read("s3://agency/a.jpg")


@pytest.mark.parametrize(
    ("asked", "answer", "expected"),
    [
        ("http://169.254.169.254/latest/meta-data/iam/security-credentials/", "status code: 404", AccessDeniedError),
        ("http://metadata.google.internal/computeMetadata/v1/token", "error sending request", AccessDeniedError),
        ("http://metadata.google.internal/computeMetadata/v1/token", "status code: 503", TemporaryError),
        ("https://oauth2.googleapis.com/token", "error sending request", TemporaryError),
    ],
)
def test_who_gives_credentials_may_be_out_for_a_moment(asked: str, answer: str, expected: type[FirstseenError]):
    """A machine that has them answers, even when it is busy; a server of tokens is as far away as the bucket."""
    with pytest.raises(expected), translated("read gs://b/a.jpg"):
        raise exceptions.GenericError(f"Error performing token request: GET {asked} in 2s - {answer}")
