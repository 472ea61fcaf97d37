"""A store in a bucket: the same commands, against an S3 server on this machine."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from firstseen.commands.running import run
from foundation.errors import PublishRaceLostError
from foundation.store.files import Store
from foundation.store.snapshots import publish, read_snapshot
from tests.builders import snapshot
from tests.photos import write_archive


def test_the_whole_way_in_a_bucket(bucket: str, encoder_store: Path, capsys: pytest.CaptureFixture, tmp_path: Path):
    """encode, index (ScaNN), lookup, verify and rollback work as they do on a local store."""
    archive = tmp_path / "archive"
    write_archive(archive, photos=20)
    store = Store(bucket)
    for path in encoder_store.rglob("*"):
        if path.is_file():
            store.upload(str(path.relative_to(encoder_store)), path)
    assert run(["encode", str(archive), "--store", bucket]) == 0
    assert run(["index", "--store", bucket, "--exact-below", "0"]) == 0
    capsys.readouterr()
    assert run(["lookup", str(archive), "--store", bucket, "--top-k", "1", "--format", "jsonl"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["verdict"] for answer in answers] == ["identical"] * 20
    assert run(["verify", "--store", bucket]) == 0
    assert run(["rollback", "--store", bucket, "--to", "1"]) == 0
    assert run(["status", "--store", bucket]) == 0
    assert "rollback to 1" in capsys.readouterr().out


def publish_as(publisher: int, bucket: str, number: int) -> int:
    """Publishes a snapshot; returns the exit code that the command would end with."""
    try:
        publish(Store(bucket), snapshot(number, publisher=str(publisher)))
    except PublishRaceLostError as lost:
        return lost.exit_code
    return 0


def test_of_many_publishers_one_wins(bucket: str):
    """The conditional create is the bucket's own: no second writer replaces the first, and all others know it."""
    with ThreadPoolExecutor(8) as pool:
        for number in range(1, 6):
            codes = list(pool.map(partial(publish_as, bucket=bucket, number=number), range(8)))
            assert sorted(codes) == [0, *[6] * 7]
            assert read_snapshot(Store(bucket)).publisher == str(codes.index(0))


def test_a_missing_bucket_is_one_clear_line(bucket: str, capsys: pytest.CaptureFixture):
    """Exit code 4, naming the store."""
    assert run(["status", "--store", "s3://no-such-bucket/x"]) == 4
    assert "s3://no-such-bucket/x" in capsys.readouterr().err
