"""The folders of a training: where they may lie, what is left in them, and which flag names another."""

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from firstseen.commands.epoch_line import EpochLine
from foundation.errors import (
    ArtifactRefusedError,
    InputNotFoundError,
    TemporaryError,
    TrainingDivergedError,
    UsageError,
)
from tests.photos import jpeg, scene
from training import train as training
from training.train import train


@pytest.fixture
def damaged_folder(photo_folder, tmp_path) -> Path:
    """The sixteen photos, and one file that is none."""
    folder = Path(shutil.copytree(photo_folder, tmp_path / "damaged"))
    (folder / "0-empty.jpg").touch()
    return folder


@pytest.mark.parametrize("photo_cache", [None, "photos"])
def test_photos_that_were_left_out_can_be_found_afterwards(
    options, damaged_folder, tmp_path, capsys, fitted, photo_cache
):
    """Where they are listed is said on stderr, and holds when the work directory is gone."""
    place = {"photo_cache": tmp_path / photo_cache} if photo_cache else {}
    train(options(source=str(damaged_folder), overrides={"epochs": 1}, **place), displays=[EpochLine()])
    counts, where, *_ = capsys.readouterr().err.splitlines()
    assert counts.endswith("1 that cannot be used")
    listed = Path(where.removeprefix("  which, and why: "))
    assert listed.is_relative_to(tmp_path / (photo_cache or "work"))
    (row,) = listed.read_text().splitlines()[1:]
    assert '"empty_file"' in row
    assert str(damaged_folder) in row
    assert [path for path in (tmp_path / "work").iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("flag", ["work_dir", "photo_cache", "log_dir"])
def test_no_folder_of_a_training_lies_in_the_store(options, tmp_path, flag):
    """What the store does not list, nobody would remove: refused before anything is decoded, through links too."""
    (tmp_path / "link").symlink_to(tmp_path / "store")
    name = "--" + flag.replace("_", "-")
    for folder in (tmp_path / "store", tmp_path / "link" / "encoders" / "mine"):
        with pytest.raises(UsageError, match=f"{name} is {folder}, inside the store .*; expected a folder outside"):
            train(options(**{flag: folder}), on_photos=lambda *_: pytest.fail("a photo was decoded"))
    assert list((tmp_path / "store").iterdir()) == []


@pytest.mark.parametrize("flag", ["work_dir", "photo_cache", "log_dir"])
def test_a_folder_that_cannot_be_made_names_its_flag(options, tmp_path, flag):
    """Found out before anything is decoded; a file in the way stands for a disk that is read-only."""
    (tmp_path / "file").touch()
    with pytest.raises(InputNotFoundError, match=f"Not a directory; .* with --{flag.replace('_', '-')}"):
        train(options(**{flag: tmp_path / "file" / "folder"}), on_photos=lambda *_: pytest.fail("a photo was decoded"))


def test_a_photo_cache_that_can_only_be_read_is_used(options, monkeypatch, tmp_path, fitted):
    """Somebody else may have made it, for everybody to train on."""
    cache = tmp_path / "photos"
    train(options(photo_cache=cache, overrides={"epochs": 1}))
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != cache and may(path, mode))
    train(options(photo_cache=cache), on_photos=lambda *_: pytest.fail("a photo was decoded"))
    assert len(fitted) == 2


@pytest.mark.parametrize(("photo_cache", "flag"), [(None, "--work-dir"), ("photos", "--photo-cache")])
def test_a_disk_that_photos_fill_names_the_flag_of_their_folder(options, monkeypatch, tmp_path, photo_cache, flag):
    """With a cache of its own place another work directory would not help."""

    def fail(*_args, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "save", fail)
    place = tmp_path / photo_cache if photo_cache else None
    with pytest.raises(TemporaryError, match=rf"no space left for the decoded photos in .* with {flag}, and run again"):
        train(options(photo_cache=place))


def test_a_training_that_would_fail_again_leaves_no_work_directory(options, tmp_path):
    """One photo, and a learning rate that diverges: the settings have to change, and with them the directory."""
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.jpg").write_bytes(jpeg(scene(1)))
    with pytest.raises(InputNotFoundError, match="1 usable photo"):
        train(options(source=str(tmp_path / "one")))
    with pytest.raises(TrainingDivergedError):
        train(options(overrides={"learning_rate": 1e30, "distance": "euclidean"}))
    assert list((tmp_path / "work").iterdir()) == []


def test_a_training_that_may_go_on_keeps_its_work_directory(options, monkeypatch, tmp_path):
    """After its epochs a refusal of the export costs one more export; a full disk costs no photo decoded twice."""

    def refuse(*_args, **_options):
        raise ArtifactRefusedError("nothing was published")

    def fill(*_args, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(training, "export", refuse)
        with pytest.raises(ArtifactRefusedError):
            train(options(overrides={"epochs": 1}))
    assert len(list(tmp_path.glob("work/*/checkpoints/state.json"))) == 1
    with monkeypatch.context() as patch:
        patch.setattr(training, "fit", fill)
        with pytest.raises(TemporaryError):
            train(options(overrides={"epochs": 3}))
    assert len(list(tmp_path.glob("work/*/photos/*/photos.npy"))) == 2


def test_an_interruption_while_photos_are_decoded_leaves_no_work_directory(options, tmp_path):
    """A cache that is not whole is no use, and an empty directory neither."""

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(options(), on_photos=interrupt)
    assert list((tmp_path / "work").iterdir()) == []
