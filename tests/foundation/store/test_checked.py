"""Files are held against their digests once on a machine, and whenever nobody can be sure that it was done."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError
from foundation.store import artifact, checked
from foundation.store.checked import verify_once
from foundation.store.files import Store

HOUR, DAY = 3_600, 24 * 3_600


class Clock:
    """A clock that can be set ahead."""

    def __init__(self) -> None:
        self.ahead = float(HOUR)

    def time(self) -> float:
        """Returns the time by this clock."""
        return time.time() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the module: an hour ahead, so that what a test writes has settled."""
    clock = Clock()
    monkeypatch.setattr(checked, "time", clock)
    return clock


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of notes, in a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(checked.CHECK_ALL, raising=False)
    return tmp_path / "cache" / "firstseen" / "checked"


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock, notes: Path) -> Callable[[], int]:
    """Checks the one file of a store as each process does, and returns how many files were read for it."""
    Store(tmp_path / "store", create=True).create("s/vectors", b"good")
    read: list[str] = []
    verify = artifact.verify_files

    def counted(*given, **named) -> int:
        read.append(given[1])
        return verify(*given, **named)

    def once() -> int:
        before = len(read)
        verify_once(Store(tmp_path / "store"), "s", {"vectors": artifact.FileRecord(4, artifact.digest_of(b"good"))})
        return len(read) - before

    monkeypatch.setattr(artifact, "verify_files", counted)
    return once


def test_a_file_is_read_once(check: Callable[[], int], notes: Path) -> None:
    """The next process knows it; nobody else may look at what was noted."""
    assert [check(), check(), check()] == [1, 0, 0]
    assert notes.stat().st_mode & 0o777 == 0o700


def test_a_file_that_was_changed_in_place_is_read_again(check: Callable[[], int], tmp_path: Path) -> None:
    """Also one with the same size, and the time of its bytes set back."""
    check()
    path = tmp_path / "store" / "s" / "vectors"
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"evil")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ArtifactRefusedError, match="damaged"):
        check()


def test_what_is_damaged_is_refused_each_time(check: Callable[[], int], tmp_path: Path) -> None:
    """Nothing is noted of it."""
    (tmp_path / "store" / "s" / "vectors").write_bytes(b"evil")
    for _ in range(2):
        with pytest.raises(ArtifactRefusedError, match="damaged"):
            check()


def test_a_file_under_the_name_of_another_is_read(check: Callable[[], int], tmp_path: Path) -> None:
    """A copy that took its place is another file, though the times of both are the same."""
    check()
    path = tmp_path / "store" / "s" / "vectors"
    found = path.stat()
    copy = path.with_name("copy")
    copy.write_bytes(b"evil")
    os.utime(copy, ns=(found.st_atime_ns, found.st_mtime_ns))
    copy.replace(path)
    with pytest.raises(ArtifactRefusedError, match="damaged"):
        check()


def test_a_young_file_is_not_noted(check: Callable[[], int], clock: Clock) -> None:
    """It could be changed once more within the same second of a coarse clock; so could one from the future."""
    clock.ahead = checked.SETTLED_SECONDS / 2
    assert [check(), check()] == [1, 1]
    clock.ahead = -DAY
    assert [check(), check()] == [1, 1]


def test_a_file_that_changes_while_it_is_read_is_not_noted(
    check: Callable[[], int], tmp_path: Path, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows which of its states had that digest."""
    verify = artifact.verify_files

    def change(*given, **named) -> int:
        read = verify(*given, **named)
        (tmp_path / "store" / "s" / "vectors").touch()
        return read

    monkeypatch.setattr(artifact, "verify_files", change)
    assert [check(), check()] == [1, 1]
    assert list(notes.iterdir()) == []


def test_a_disk_may_rot(check: Callable[[], int], clock: Clock, notes: Path) -> None:
    """After a month a file is read again, and old notes go."""
    check()
    (notes / "of-a-file-that-is-gone").touch()
    clock.ahead += checked.KEPT_SECONDS
    assert check() == 1
    assert len(list(notes.iterdir())) == 1


def test_everything_is_read_on_demand(check: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the environment says so."""
    check()
    monkeypatch.setenv(checked.CHECK_ALL, "1")
    assert check() == 1


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o755])
def test_notes_that_others_could_have_written_count_for_nothing(
    check: Callable[[], int], notes: Path, mode: int
) -> None:
    """Everything is read then."""
    check()
    notes.chmod(mode)
    assert [check(), check()] == [1, 1]


def test_a_folder_of_another_user_counts_for_nothing(
    check: Callable[[], int], notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may make folders in the user's cache could have put it there."""
    check()
    monkeypatch.setattr(os, "geteuid", lambda: notes.stat().st_uid + 1)
    assert [check(), check()] == [1, 1]


def test_a_link_to_a_folder_counts_for_nothing(check: Callable[[], int], notes: Path) -> None:
    """It leads wherever somebody else wants it to."""
    check()
    notes.rename(notes.with_name("elsewhere"))
    notes.symlink_to(notes.with_name("elsewhere"))
    assert [check(), check()] == [1, 1]


def cache_is_a_file(cache: Path) -> None:
    """Leaves no place for a folder."""
    cache.write_bytes(b"")


def cache_is_read_only(cache: Path) -> None:
    """Lets nobody write, not even the superuser: there is no such folder in /proc."""
    cache.symlink_to("/proc/1")


@pytest.mark.parametrize("break_cache", [cache_is_a_file, cache_is_read_only])
def test_without_a_place_for_notes_everything_is_read(
    check: Callable[[], int], tmp_path: Path, break_cache: Callable[[Path], None]
) -> None:
    """That is slower, and no error."""
    break_cache(tmp_path / "cache")
    assert [check(), check()] == [1, 1]


def test_without_a_home_everything_is_read(check: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative folder of the environment counts as none, as its specification says."""
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")

    def nowhere() -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", nowhere)
    assert [check(), check()] == [1, 1]


def test_a_home_without_a_place_is_none(check: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes in whatever folder the program was started in would be found by nobody, or by somebody else."""
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: Path("."))
    assert [check(), check()] == [1, 1]


def test_a_note_of_another_machine_counts_for_nothing(
    check: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both may have the same home, and disks of their own."""
    check()
    monkeypatch.setattr(os, "uname", lambda: type("Name", (), {"nodename": "another"}))
    assert check() == 1


def test_a_file_that_was_young_when_its_read_began_is_not_noted(
    check: Callable[[], int], clock: Clock, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it takes: a change of its first second would not show."""
    verify = artifact.verify_files

    def slowly(*given, **named) -> int:
        clock.ahead += HOUR
        return verify(*given, **named)

    clock.ahead = 0
    monkeypatch.setattr(artifact, "verify_files", slowly)
    assert check() == 1
    assert list(notes.iterdir()) == []


def test_on_a_full_disk_everything_is_read(check: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A note that cannot be written is none."""
    plain = os.open

    def full(path, flags: int, *given, **named) -> int:
        if flags & os.O_CREAT:
            raise OSError(28, "No space left on device")
        return plain(path, flags, *given, **named)

    monkeypatch.setattr(os, "open", full)
    assert [check(), check()] == [1, 1]


def test_a_note_of_another_process_is_no_error(
    check: Callable[[], int], notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes may read a file at the same time: the first note stands."""
    verify = artifact.verify_files

    def meanwhile(*given, **named) -> int:
        monkeypatch.setattr(artifact, "verify_files", verify)
        verify_once(*given, **named)
        return verify(*given, **named)

    monkeypatch.setattr(artifact, "verify_files", meanwhile)
    assert [check(), check()] == [2, 0]
    assert len(list(notes.iterdir())) == 1
