"""The directory of a training: one for each, held by one process at a time."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from foundation.errors import InputNotFoundError, TemporaryError, UsageError
from training.fitting.work_directory import key_of, working


def test_every_setting_makes_another_key():
    """Trainings that differ in anything do not resume from each other."""
    assert key_of(["a", 1, None]) == key_of(["a", 1, None])
    assert len({key_of(settings) for settings in (["a", 1], ["a", 2], ["b", 1], ["a", 1, None])}) == 4


def test_one_process_at_a_time_holds_it(tmp_path):
    """The second is told to wait; afterwards the next may, also if the first has removed the directory."""
    with working("key", work_dir=tmp_path) as directory:
        with pytest.raises(TemporaryError, match="the same training runs already"), working("key", work_dir=tmp_path):
            pass
        with working("other", work_dir=tmp_path):
            shutil.rmtree(directory)
    with working("key", work_dir=tmp_path) as directory:
        assert directory == tmp_path / "key"


def test_by_default_it_lies_in_the_cache_of_the_user(tmp_path, monkeypatch):
    """The place that the desktop's standard names, else ~/.cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with working("key") as directory:
        assert directory == tmp_path / "cache" / "firstseen" / "training" / "key"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    with working("key") as directory:
        assert directory == tmp_path / ".cache" / "firstseen" / "training" / "key"


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "HOME"])
def test_a_home_that_cannot_be_written_to_names_the_flag(tmp_path, monkeypatch, variable):
    """Nobody has to look the flag up; a file in the way stands for a disk that is read-only."""
    (tmp_path / "home").touch()
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "home"))
    with pytest.raises(InputNotFoundError, match=r"cannot write to .*; name a folder .* with --work-dir"), working("k"):
        pass


def test_a_directory_that_is_there_and_read_only_names_the_flag(tmp_path, monkeypatch):
    """It can be made, since it is there already; what matters is whether it can be written to."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(InputNotFoundError, match=r"Permission denied; .* --work-dir"), working("k", work_dir=tmp_path):
        pass


def test_a_user_without_a_home_is_told_the_flag(monkeypatch):
    """As in a container whose user is a number."""

    def fail():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", fail)
    with pytest.raises(InputNotFoundError, match=r"no home folder .*; name a folder with --work-dir"), working("k"):
        pass


def test_a_full_disk_stays_one(tmp_path, monkeypatch):
    """Another folder need not be named: the system's own error tells the command line to try again later."""

    def fail(*_args, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "mkdir", fail)
    with pytest.raises(OSError, match="No space left on device"), working("k", work_dir=tmp_path):
        pass


def test_a_directory_without_a_file_is_removed(tmp_path):
    """Empty folders are nothing to resume from; one file is."""
    with working("empty", work_dir=tmp_path) as directory:
        (directory / "photos").mkdir()
    with working("begun", work_dir=tmp_path) as directory:
        (directory / "photos").mkdir()
        (directory / "photos" / "1.npy").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["begun"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        RuntimeError("HDF5: file write failed: errno = 28, error message = 'No space left on device'"),
    ],
)
def test_every_way_to_say_that_the_disk_is_full_is_understood(tmp_path, error):
    """The system, HDF5 and TensorFlow say it in their own words; the user reads one line."""
    with pytest.raises(TemporaryError, match=r"no space left .*--work-dir"), working("key", work_dir=tmp_path):
        raise error


@pytest.mark.parametrize("error", [UsageError("No space left on device"), ValueError("another"), KeyboardInterrupt()])
def test_other_errors_pass(tmp_path, error):
    """What is already an error for a user, a defect, and an interruption stay what they are."""
    with pytest.raises(type(error)), working("key", work_dir=tmp_path):
        raise error
