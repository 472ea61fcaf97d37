"""The store: files are created once, in a local directory or behind a bucket's interface, and errors are typed."""

import errno
import hashlib
import os
import pickle
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pytest
from obstore import exceptions
from obstore.store import MemoryStore
from pyarrow import parquet

from foundation.errors import InputNotFoundError, TemporaryError, UsageError
from foundation.objects import translated
from foundation.store import files as store_module
from foundation.store.files import Store


@pytest.fixture(params=["local", "bucket"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A local store, and one that goes the way of a bucket: no local directory, all through obstore."""
    store = Store(tmp_path)
    if request.param == "bucket":
        store.local_root, store._backend = None, MemoryStore()
    return store


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_file_is_created_only_once(any_store: Store) -> None:
    """The second create of a path says so and leaves the first one's bytes."""
    assert any_store.create("a/b.json", b"first")
    assert not any_store.create("a/b.json", b"second")
    assert any_store.read("a/b.json") == b"first"


@pytest.mark.parametrize("name", ["100%.json", "b%41c.json", "é ü.json", "写真.json", "q?*&.json", "a b.json", "😀"])
def test_any_name_survives(any_store: Store, name: str) -> None:
    """Percent signs, spaces and letters of any script name the same file in every method."""
    any_store.create(f"folder/{name}", b"x")
    assert any_store.files("folder") == [name]
    assert any_store.exists(f"folder/{name}")
    assert any_store.read(f"folder/{name}") == b"x"
    with any_store.open(f"folder/{name}") as file:
        assert file.read() == b"x"
    any_store.delete([f"folder/{name}"])
    assert not any_store.exists(f"folder/{name}")


def test_a_missing_file_is_an_input_error(any_store: Store) -> None:
    """Reading and opening what is not there names the file; asking whether it exists does not raise."""
    for action in (any_store.read, any_store.open, any_store.measure):
        with pytest.raises(InputNotFoundError, match=r"cannot read no/file\.json .* does not exist"):
            action("no/file.json")
    assert not any_store.exists("no/file.json")


@pytest.mark.parametrize("path", ["../outside", "encoders/../../outside", "encoders//encoder.json", "a\0b", "\udcff"])
def test_a_path_outside_of_the_store_is_refused(any_store: Store, path: str) -> None:
    """A name given by a user cannot leave the store, and the refusal is one clear error."""
    for action in (any_store.read, any_store.exists):
        with pytest.raises(InputNotFoundError, match="cannot read"):
            action(path)
    with pytest.raises(InputNotFoundError, match="cannot write"):
        any_store.create(path, b"")


def test_listings_show_one_level_sorted(any_store: Store) -> None:
    """Files and directories directly below a prefix are listed apart, sorted; a missing prefix is empty."""
    for path in ("p/2.json", "p/1.json", "p/d2/x", "p/d1/y", "other/z"):
        any_store.create(path, b"x")
    assert any_store.files("p") == ["1.json", "2.json"]
    assert any_store.directories("p") == ["d1", "d2"]
    assert any_store.files("nothing") == any_store.directories("nothing") == []


def test_delete_ignores_what_is_absent(any_store: Store) -> None:
    """Deleting again, as a retried step does, is no error, and the rest of the list is still deleted."""
    any_store.create("a", b"x")
    any_store.delete(["absent", "a"])
    any_store.delete(["absent", "a"])
    assert not any_store.exists("a")


def test_measure_reads_in_chunks(any_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Size and digest are those of the whole file, however many chunks it takes."""
    monkeypatch.setattr(store_module, "READ_CHUNK_BYTES", 3)
    data = b"0123456789"
    any_store.create("f", data)
    assert any_store.measure("f") == (10, hashlib.sha256(data).hexdigest())


def test_an_open_file_can_be_read_at_any_place(any_store: Store) -> None:
    """Parquet's reader seeks to the footer and back, in a bucket's file as in a local one."""
    parquet.write_table(
        table := pa.table({"a": list(range(1_000))}), sink := pa.BufferOutputStream(), row_group_size=100
    )
    any_store.create("t.parquet", sink.getvalue().to_pybytes())
    with any_store.open("t.parquet") as file:
        assert file.seek(-4, os.SEEK_END) > 0
        assert file.read() == b"PAR1"
        assert parquet.ParquetFile(file).read_row_group(3) == table.slice(300, 100)
    assert file.closed


def test_upload_and_local_copy_bring_the_same_bytes(any_store: Store, tmp_path: Path) -> None:
    """Uploaded files, nested ones too, lie in the local copy under their names."""
    source = tmp_path / "source"
    source.write_bytes(b"x" * 100_000)
    any_store.upload("run/one", source)
    any_store.upload("run/deep/two", source)
    with any_store.local_copy("run", ["one", "deep/two"]) as folder:
        assert (folder / "one").read_bytes() == (folder / "deep" / "two").read_bytes() == source.read_bytes()


def test_local_copy_of_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    """A file that vanished from a bucket is named."""
    store = Store(tmp_path)
    store.local_root, store._backend = None, MemoryStore()
    with pytest.raises(InputNotFoundError, match="cannot read run/gone"), store.local_copy("run", ["gone"]):
        pass


def test_workers_reopen_the_store_by_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pickled store is its absolute address: it works from another working directory, and holds no connection."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    pickled = pickle.dumps(Store("here", create=True))
    monkeypatch.chdir(tmp_path / "elsewhere")
    pickle.loads(pickled).create("a", b"x")  # noqa: S301 (made two lines above)
    assert (tmp_path / "here" / "a").read_bytes() == b"x"
    assert len(pickled) < 300


def test_a_file_uri_names_a_local_directory(tmp_path: Path) -> None:
    """file:// with percent-encoding is the same store as the path."""
    Store(f"file://{tmp_path}/a%20b", create=True).create("x", b"1")
    assert Store(tmp_path / "a b").read("x") == b"1"


def test_a_missing_store_is_an_input_error(tmp_path: Path) -> None:
    """A store that is not there is not made by reading it, and the error says which verb makes one."""
    with pytest.raises(InputNotFoundError, match="firstseen encode"):
        Store(tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("uri", ["ftp://host/x", "http://host/x", "azure://x", "s3a://x"])
def test_an_unknown_scheme_is_a_usage_error(uri: str) -> None:
    """Only local directories, gs:// and s3:// are stores."""
    with pytest.raises(UsageError, match="expected a local directory, gs:// or s3://"):
        Store(uri)


def test_a_bucket_without_a_name_is_an_input_error() -> None:
    """An address that cannot be parsed is one line, not a dump of the library's."""
    with pytest.raises(InputNotFoundError, match=r"cannot open store s3://: [^\n]*$"):
        Store("s3://")


def test_a_file_in_place_of_a_directory_is_an_input_error(tmp_path: Path) -> None:
    """A store that is a file cannot be opened, and nothing can be written below a file."""
    (tmp_path / "file").write_bytes(b"x")
    for create in (False, True):
        with pytest.raises(InputNotFoundError, match="file is a file; expected a directory: check the name"):
            Store(tmp_path / "file", create=create)
    store = Store(tmp_path)
    for write in (lambda: store.create("file/x", b"x"), lambda: store.upload("file/x", tmp_path / "file")):
        with pytest.raises(InputNotFoundError, match="cannot write file/x"):
            write()
    with pytest.raises(InputNotFoundError, match="cannot read file/x"):
        store.exists("file/x")


def test_a_directory_that_cannot_be_written_is_an_input_error() -> None:
    """Without the right to write, the error says so; sysfs refuses even root."""
    if not os.path.isdir("/sys/kernel"):
        pytest.skip("no sysfs here: the directory that refuses even root")
    with pytest.raises(InputNotFoundError, match=r"Permission denied|permission denied|Read-only"):
        Store("/sys/kernel").create("firstseen-test.json", b"x")


def test_a_full_disk_is_temporary(tiny_disk: Path, tmp_path: Path) -> None:
    """Every way of writing reports a full disk as TemporaryError, leaves no half file, and works after a clean-up."""
    store = Store(tiny_disk)
    large = tmp_path / "large"
    large.write_bytes(b"x" * 200_000)
    for write in (lambda: store.create("a", large.read_bytes()), lambda: store.upload("a", large)):
        with pytest.raises(TemporaryError, match="No space left on device; free some space and run again") as caught:
            write()
        assert caught.value.exit_code == 75
        assert not store.exists("a")
    (tiny_disk / "filler").write_bytes(b"x" * 40_000)
    with pytest.raises(TemporaryError):
        store.create("b", b"x" * 40_000)
    (tiny_disk / "filler").unlink()
    assert store.create("b", b"x" * 20_000)


def test_a_full_disk_while_copying_is_temporary(tiny_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket's files that do not fit on the local disk end in TemporaryError too."""
    store = Store(tiny_disk)
    store.local_root, store._backend = None, MemoryStore()
    store.create("run/large", b"x" * 200_000)
    monkeypatch.setattr(store_module.tempfile, "tempdir", str(tiny_disk))
    with pytest.raises(TemporaryError, match="cannot copy run/large"), store.local_copy("run", ["large"]):
        pass


def test_delete_reaches_no_file_outside_of_the_store(tmp_path: Path) -> None:
    """A description that was made up cannot have anything else deleted."""
    (tmp_path / "outside").write_bytes(b"x")
    with pytest.raises(InputNotFoundError, match="outside of the store"):
        Store(tmp_path / "store", create=True).delete(["../outside"])
    assert (tmp_path / "outside").exists()


def test_walk_lists_every_file_with_its_size_and_time(any_store: Store) -> None:
    """Whatever the depth, sorted by path."""
    before = datetime.now(timezone.utc) - timedelta(seconds=5)
    for path in ("b", "a/2/y", "a/1", "a/2/x"):
        any_store.create(path, path.encode())
    found = any_store.walk()
    assert [(one.path, one.size_bytes) for one in found] == [("a/1", 3), ("a/2/x", 5), ("a/2/y", 5), ("b", 1)]
    assert all(before < one.modified_at < before + timedelta(minutes=5) for one in found)
    any_store.create("a/20", b"")
    assert any_store.walk("a/2") == found[1:3]
    assert any_store.walk("absent") == []


def test_uploads_that_were_killed_are_found_and_deleted(tmp_path: Path) -> None:
    """obstore leaves `NAME#NUMBER` behind, and passes over it itself."""
    store = Store(tmp_path)
    store.create("run/part", b"x")
    (tmp_path / "run/part#1").write_bytes(b"half")
    assert [one.path for one in store.walk()] == ["run/part", "run/part#1"]
    store.delete(["run/part#1"])
    assert [one.path for one in store.walk()] == ["run/part"]


def test_many_files_are_deleted_at_once(any_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than go into one request, and with absent ones among them."""
    monkeypatch.setattr(store_module, "DELETED_AT_A_TIME", 3)
    for number in range(10):
        any_store.create(f"d/{number}", b"x")
    any_store.delete([f"d/{number}" for number in range(0, 20, 2)])
    assert any_store.files("d") == ["1", "3", "5", "7", "9"]


def test_empty_directories_are_found_and_removed(tmp_path: Path) -> None:
    """Those below which there is no file; one that is not empty any more stays."""
    store = Store(tmp_path)
    store.create("full/deep/file", b"x")
    (tmp_path / "empty/deep").mkdir(parents=True)
    assert set(store.empty_directories()) == {"empty", "empty/deep"}
    assert set(store.empty_directories("empty")) == {"empty/deep"}
    store.remove_directories(["empty", "empty/deep", "full", "absent"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_folder_that_may_not_be_made_is_a_matter_of_rights(number: int) -> None:
    """obstore names the error of the system in its text alone; root may do anything, so that it is raised here."""
    with (
        pytest.raises(InputNotFoundError, match=r"^cannot write a: permission denied; check the access rights$"),
        translated("write a"),
    ):
        raise exceptions.GenericError(f"Generic LocalFileSystem error: Unable to create dir x (os error {number})")
