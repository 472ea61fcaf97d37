"""Folders that a training writes to: made, or refused with the flag that names another."""

import os

import pytest

from foundation.errors import InputNotFoundError, TemporaryError, UsageError
from foundation.store.files import Store
from training.fitting.folders import full_disk_is_temporary, make_folder, require_outside


def test_a_folder_is_made_with_its_parents(tmp_path):
    """Making it twice is no error."""
    for _ in range(2):
        make_folder(tmp_path / "a" / "b", flag="--log-dir")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_below_a_file_names_the_flag(tmp_path):
    """The one line says which folder, why not, and by which flag to name another."""
    (tmp_path / "file").touch()
    with pytest.raises(InputNotFoundError, match=r"cannot write to .*/file/a: Not a directory; .* with --log-dir"):
        make_folder(tmp_path / "file" / "a", flag="--log-dir")


@pytest.mark.parametrize("inside", [".", "encoders", "a/../b"])
def test_a_folder_inside_the_store_is_refused(tmp_path, inside):
    """The store itself counts, and so does what only a detour leads to."""
    store = Store(tmp_path / "store", create=True)
    with pytest.raises(UsageError, match=r"--work-dir is .*, inside the store .*; expected a folder outside of it"):
        require_outside(store, tmp_path / "store" / inside, flag="--work-dir")


@pytest.mark.parametrize("outside", ["store-2", "store/../other", ".", None])
def test_a_folder_outside_of_the_store_is_taken(tmp_path, outside):
    """A name that begins like the store's, the folder around it, and none at all."""
    store = Store(tmp_path / "store", create=True)
    require_outside(store, outside and tmp_path / outside, flag="--work-dir")


def test_a_local_folder_is_never_inside_a_bucket(tmp_path, monkeypatch):
    """A store that is no local directory has no inside."""
    store = Store(tmp_path, create=True)
    monkeypatch.setattr(store, "local_root", None)
    require_outside(store, tmp_path, flag="--work-dir")


def test_what_was_finished_and_the_flag_stand_in_the_message():
    """The remedy is a flag that exists."""
    with (
        pytest.raises(
            TemporaryError,
            match="no space left for the photos in X: free some, or name another folder with --photo-cache",
        ),
        full_disk_is_temporary("the photos in X", flag="--photo-cache"),
    ):
        raise OSError(os.strerror(28))
