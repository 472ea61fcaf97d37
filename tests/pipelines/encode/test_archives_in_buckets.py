"""An archive in a bucket, from encode to lookup, on S3 and on Google Cloud Storage."""

import json
from pathlib import Path

import pytest

from firstseen.commands.running import run
from tests.foundation.archives.test_buckets import fill
from tests.photos import jpeg, scene


def test_the_whole_way_from_a_bucket(any_bucket: str, store: Path, capsys: pytest.CaptureFixture):
    """Photos are encoded, indexed, and found again by their URI in the bucket; what is no photo is a reject."""
    photos = {f"{number % 2}/{number}.jpg": jpeg(scene(number)) for number in range(6)}
    fill(any_bucket, {**photos, "0/bad.jpg": b"no photo"})
    assert run(["encode", any_bucket, "--store", str(store), "--max-rejects", "0.5"]) == 0
    assert run(["index", "--store", str(store)]) == 0
    capsys.readouterr()
    queries = [f"{any_bucket}/0/0.jpg", f"{any_bucket}/1/"]
    assert run(["lookup", *queries, "--store", str(store), "--top-k", "1", "--format", "jsonl"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["verdict"] for answer in answers] == ["identical"] * 4
    names = ("0/0.jpg", "1/1.jpg", "1/3.jpg", "1/5.jpg")
    assert [answer["uri"] for answer in answers] == [f"{any_bucket}/{name}" for name in names]
