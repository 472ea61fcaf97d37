"""Tests TensorFlow Datasets that have to be downloaded: without a network this ends at once."""

import json
import os
import subprocess
import sys

import pytest

from foundation.archives import tensorflow_datasets
from foundation.archives.archive import read
from foundation.archives.photos import UnreadablePhotoError
from foundation.archives.tensorflow_datasets import _files_to_download, archive_uri
from foundation.errors import UsageError
from tests.conftest import REPOSITORY

# A port of this machine that nobody listens at stands for a network that cannot be reached.
NO_NETWORK = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}


def test_without_a_network_a_download_fails_within_seconds(tmp_path):
    """TensorFlow Datasets itself tries for minutes; the error says where the data set may come from instead."""
    command = [sys.executable, "-m", "firstseen", "train", "--source", "tfds:mnist", "--store", str(tmp_path / "store")]
    environment = {**os.environ, **NO_NETWORK, **{name.lower(): value for name, value in NO_NETWORK.items()}}
    environment |= {"HOME": str(tmp_path), "TFDS_DATA_DIR": str(tmp_path / "datasets")}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 4
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("firstseen:")]
    assert "storage.googleapis.com cannot be reached" in line
    assert "name its folder with --data-dir" in line


def test_what_was_downloaded_before_needs_no_network(tmp_path):
    """A preparation that was interrupted goes on offline, by the descriptions beside the files."""
    import tensorflow_datasets as tfds

    builder = tfds.builder("mnist", data_dir=tmp_path)
    addresses = list(builder.url_infos)
    assert _files_to_download(builder) == addresses
    folder = tmp_path / "downloads" / "mnist"
    folder.mkdir(parents=True)
    (folder / "a.gz.INFO").write_text(json.dumps({"urls": addresses[:1]}))
    assert _files_to_download(builder) == addresses[1:]
    (folder / "b.gz.INFO").write_text(json.dumps({"urls": addresses[1:]}))
    assert _files_to_download(builder) == []


def test_a_version_that_there_is_not_is_a_usage_error(tmp_path):
    """It is no defect of ours."""
    with pytest.raises(UsageError, match="expected tfds:NAME"):
        archive_uri("tfds:mnist:9.9.9", tmp_path)


def test_reading_a_photo_downloads_nothing(tmp_path, monkeypatch):
    """A list of queries may name any data set: whoever wrote it must not fill the disk of whoever reads it."""
    import tensorflow_datasets as tfds

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", lambda *_: pytest.fail("it downloads"))
    monkeypatch.setattr(tensorflow_datasets, "_require_network", lambda *_: pytest.fail("it asks the network"))
    with pytest.raises(UnreadablePhotoError, match="cifar10 is not prepared on this machine"):
        read("tfds:cifar10/train#3")
