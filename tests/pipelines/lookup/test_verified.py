"""Files are held against their digests once on a machine, and whenever nobody can be sure that it was done."""

import os
from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError
from foundation.store import artifact
from foundation.store.files import Store
from pipelines.lookup import verified
from pipelines.lookup.verified import Verified, notes_folder


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were read; there is one in the store, and notes lie in a folder of the test's own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    Store(tmp_path / "store", create=True).create("s/vectors", b"good")
    names: list[str] = []
    verify = artifact.verify_files
    monkeypatch.setattr(
        verified.artifact, "verify_files", lambda *given, **named: names.append(given[1]) or verify(*given, **named)
    )
    return names


def check(tmp_path: Path, lookup_id: str = "a") -> None:
    """Checks the file, as each process does."""
    record = artifact.FileRecord(4, artifact.digest_of(b"good"))
    Verified(lookup_id).verify(Store(tmp_path / "store"), "s", {"vectors": record})


def test_a_file_is_read_once_for_a_lookup(tmp_path: Path, read: list[str]) -> None:
    """Another lookup reads it again."""
    check(tmp_path)
    check(tmp_path)
    assert len(read) == 1
    check(tmp_path, "b")
    assert len(read) == 2


def test_a_file_that_changed_is_read_again(tmp_path: Path, read: list[str]) -> None:
    """Also one with the same size, and the time of its bytes set back."""
    check(tmp_path)
    path = tmp_path / "store" / "s" / "vectors"
    before = path.stat()
    path.write_bytes(b"evil")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ArtifactRefusedError, match="damaged"):
        check(tmp_path)


def test_notes_of_others_count_for_nothing(tmp_path: Path, read: list[str]) -> None:
    """A folder that others may write to, or that is a link, is none of ours: everything is read."""
    folder = notes_folder()
    assert folder
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o770)
    assert notes_folder() is None
    check(tmp_path)
    check(tmp_path)
    assert len(read) == 2
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    assert notes_folder() is None


def test_old_notes_are_removed(tmp_path: Path, read: list[str]) -> None:
    """Of lookups that nobody ended."""
    check(tmp_path)
    folder = notes_folder()
    assert folder
    (note,) = folder.iterdir()
    os.utime(note, (0, 0))
    notes_folder()
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_listed_holds_no_notes(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is read then."""
    check(tmp_path)

    def refuse(_: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "iterdir", refuse)
    check(tmp_path)
    assert len(read) == 2
