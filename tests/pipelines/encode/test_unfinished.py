"""Runs that were cut off: the next one goes on with them, and comes to what an undisturbed one does."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError, TemporaryError
from foundation.store import artifact, unfinished
from foundation.store.files import Store
from foundation.store.runs import Run
from foundation.store.unfinished import BEGUN, Begun, begin_run
from pipelines.encode import chunks, job
from pipelines.encode.outcomes import outcome_paths
from tests.conftest import REPOSITORY
from tests.nights import Found, Nights, make_nights

PHOTOS = 8


@pytest.fixture
def archive(nights: Nights) -> Nights:
    """Eight photos, three to a chunk: two are the same, and one is broken."""
    for number in range(PHOTOS):
        nights.put(f"{number}.jpg", min(number, 6))
    nights.put("broken.jpg", 0).write_bytes(b"<html>")
    os.utime(nights.path("broken.jpg"), (nights.clock,) * 2)
    return nights


def cut_off(nights: Nights, *, after: int, **options: Any) -> None:
    """Encodes, and fails when so many chunks are done."""
    done: list[Any] = []
    write = chunks.write_outcomes

    def failing(*arguments: Any) -> bool:
        if len(done) == after:
            raise TemporaryError("No space left on device")
        done.append(None)
        return write(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "write_outcomes", failing)
        with pytest.raises(TemporaryError, match="No space left"):
            nights.encode(**options)


def contents_of(nights: Nights, run: Run) -> dict[str, Any]:
    """Returns what a finished run says: its account, its rows and its inventory, without its own names."""
    folder = nights.store.local_root / run.directory
    rows = [row for name in run.shards for row in parquet.read_table(folder / name).to_pylist()]
    inventory = parquet.read_table(folder / run.inventory_file).to_pylist()
    assert {path.name for path in folder.rglob("*") if path.is_file()} >= {*run.files, "run.json"}
    return {
        "accounting": run.accounting,
        "rows": sorted(rows, key=lambda row: row["photo_id"]),
        "inventory": inventory,
        "changes": run.changes,
    }


@pytest.fixture
def undisturbed(archive: Nights, tmp_path: Path) -> dict[str, Any]:
    """What a run of the archive comes to that nobody disturbs, in a store of its own."""
    another = Nights(archive.folder, archive.store)
    shutil.copytree(archive.store.local_root, tmp_path / "another")
    another.store = type(archive.store)(tmp_path / "another")
    return contents_of(another, another.encode().run)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_what_is_done_is_not_done_again(archive: Nights, undisturbed: dict[str, Any], after: int) -> None:
    """However many chunks were finished; what is left behind is removed when the run is finished."""
    archive.read.clear()
    cut_off(archive, after=after)
    archive.read.clear()
    result = archive.encode()
    assert len(archive.read) == PHOTOS + 1 - 3 * after
    assert contents_of(archive, result.run) == undisturbed
    folder = archive.store.local_root / result.run.directory
    assert {path.name for path in folder.iterdir() if path.is_file()} - {*result.run.files, "run.json"} <= {
        path.name for path in folder.glob("part-*")
    }
    assert not list(folder.glob("*/*"))
    assert not archive.encode().is_new


def test_a_run_that_is_killed_goes_on(archive: Nights, undisturbed: dict[str, Any]) -> None:
    """SIGKILL leaves it no time for anything; the process that goes on has another number."""
    script = (
        "import os, signal, pytest\n"
        "from pathlib import Path\n"
        "from pipelines.encode import chunks\n"
        "from tests.nights import make_nights\n"
        "with pytest.MonkeyPatch.context() as patch:\n"
        f"    nights = make_nights(Path({str(archive.folder)!r}), patch)\n"
        "    write = chunks.write_outcomes\n"
        "    killed = lambda *arguments: write(*arguments) and os.kill(os.getpid(), signal.SIGKILL)\n"
        "    patch.setattr(chunks, 'write_outcomes', killed)\n"
        "    nights.encode()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    archive.read.clear()
    run = archive.encode().run
    assert sorted(archive.read) == ["3.jpg", "4.jpg", "5.jpg", "6.jpg", "7.jpg", "broken.jpg"]
    assert contents_of(archive, run) == undisturbed


def test_a_run_is_cut_off_again_and_again(archive: Nights, undisturbed: dict[str, Any]) -> None:
    """Each attempt does what the ones before left, and all of their shards count."""
    for _ in range(2):
        cut_off(archive, after=1)
    assert contents_of(archive, archive.encode().run) == undisturbed


def test_the_archive_changes_between_two_attempts(archive: Nights) -> None:
    """What was removed, changed, renamed or added meanwhile is as it is now, and its catalog is tonight's."""
    cut_off(archive, after=2, words={"0.jpg": {"caption": "old"}, "5.jpg": {"caption": "same"}})
    archive.path("0.jpg").unlink()
    archive.put("1.jpg", 11)
    archive.path("2.jpg").rename(archive.path("x.jpg"))
    archive.put("new.jpg", 12)
    words = {"3.jpg": {"caption": "new"}, "5.jpg": {"caption": "same"}, "6.jpg": {"caption": ""}}
    result = archive.night(words=words)
    assert result.run.photos_in_catalog == 3
    assert archive.found() == {
        Found("archive", "1.jpg", 11),
        Found("archive", "3.jpg", 3, "new"),
        Found("archive", "4.jpg", 4),
        Found("archive", "5.jpg", 5, "same"),
        Found("archive", "6.jpg", 6),
        Found("archive", "7.jpg", 6),
        Found("archive", "new.jpg", 12),
        Found("archive", "x.jpg", 2),
    }
    assert len(list(archive.store.local_root.glob("embeddings/*/*"))) == 1


def test_a_content_that_left_the_index_between_two_attempts_is_embedded(nights: Nights) -> None:
    """The first attempt met it as a known one; a run that was indexed since had removed the last photo that had it."""
    nights.put("a.jpg", 1)
    nights.night()
    nights.put("b.jpg", 2)
    nights.encode()
    nights.path("b.jpg").unlink()
    nights.encode()
    nights.put("again.jpg", 2)
    nights.put("new.jpg", 3)
    cut_off(nights, after=1, chunk_photos=1)
    nights.index()
    assert nights.found() == {Found("archive", "a.jpg", 1)}
    nights.night(chunk_photos=1)
    names = {"a.jpg": 1, "again.jpg": 2, "new.jpg": 3}
    assert nights.found() == {Found("archive", name, number) for name, number in names.items()}


def test_a_shard_that_no_outcome_names_is_removed(archive: Nights) -> None:
    """A worker that is killed between both leaves it, and its chunk is done again under another name."""
    cut_off(archive, after=1, chunk_photos=1)
    (begun,) = archive.store.local_root.glob("embeddings/*/*")
    (begun / "part-lost.parquet").write_bytes(b"half a shard")
    run = archive.encode(chunk_photos=1).run
    assert {path.name for path in begun.glob("part-*")} == set(run.rows)


@pytest.mark.parametrize("changes", [{"features": "local"}, {"dtype": "float16"}])
def test_with_other_options_another_run_begins(archive: Nights, changes: dict[str, str]) -> None:
    """Rows of two kinds in one run could never be told apart."""
    cut_off(archive, after=2)
    archive.read.clear()
    result = archive.encode(**changes)
    assert len(archive.read) == PHOTOS + 1
    assert len(list(archive.store.local_root.glob("embeddings/*/*"))) == 2
    assert result.run.accounting.photos == PHOTOS


def begun_by(nights: Nights, **changes: Any) -> None:
    """Writes into the run that was cut off that another process began it."""
    (path,) = nights.store.local_root.glob(f"embeddings/*/*/{BEGUN}")
    begun, _ = artifact.read(nights.store, str(path.relative_to(nights.store.local_root)), Begun)
    path.write_bytes(artifact.to_json(replace(begun, **changes)))


def test_another_process_that_is_at_it_is_not_disturbed(archive: Nights) -> None:
    """Exit code 75: the scheduler tries again. One that is gone, or whose number another one has, is no matter."""
    cut_off(archive, after=1)
    parent = os.getppid()
    begun_by(archive, process=parent, started=unfinished.started_at(parent))
    with pytest.raises(
        TemporaryError, match=rf"^process {parent} is encoding file://.*/archive .* run again"
    ) as caught:
        archive.encode()
    assert caught.value.exit_code == 75
    begun_by(archive, process=parent, started="another time")
    archive.encode()


def test_without_the_times_of_processes_their_numbers_count(archive: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as on macOS: one that is gone stands in nobody's way, and one that is alive does."""
    monkeypatch.setattr(unfinished, "started_at", lambda _: "")
    cut_off(archive, after=1)
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    begun_by(archive, process=os.getppid())
    with pytest.raises(TemporaryError, match=r"is encoding file://"):
        archive.encode()
    begun_by(archive, process=gone.pid)
    assert archive.encode().is_new


def test_a_run_of_another_machine_is_left_alone_for_a_day(archive: Nights, undisturbed: dict[str, Any]) -> None:
    """Whether its process is alive cannot be asked; after that time the run is gone on with."""
    cut_off(archive, after=1)
    begun_by(archive, host=f"not-{socket.gethostname()}")
    (begun,) = archive.store.local_root.glob("embeddings/*/*")
    shutil.copytree(archive.store.local_root, archive.folder / "a day later")
    archive.read.clear()
    run = archive.encode().run
    assert run.run_id != begun.name
    assert len(archive.read) == PHOTOS + 1
    assert (begun / BEGUN).exists()
    archive.store = Store(archive.folder / "a day later")
    for path in archive.store.local_root.rglob("*"):
        os.utime(path, (path.stat().st_mtime - 25 * 3600,) * 2)
    archive.read.clear()
    run = archive.encode().run
    assert (run.run_id, len(archive.read)) == (begun.name, PHOTOS + 1 - 3)
    assert contents_of(archive, run) == undisturbed


@pytest.mark.parametrize("step", ["plan_work", "finish_run"])
def test_of_two_processes_at_one_run_the_first_to_finish_counts(
    archive: Nights, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The other leaves its files as they are, and is to be run again: exit code 75."""
    do, others = getattr(job, step), []

    def after_another(*arguments: Any, **named: Any) -> Any:
        monkeypatch.setattr(job, step, do)
        planned = do(*arguments, **named) if step == "plan_work" else None
        others.append(archive.encode().run)
        return planned or do(*arguments, **named)

    monkeypatch.setattr(job, step, after_another)
    with pytest.raises(TemporaryError, match=r"^another process finished run .* meanwhile, and it counts; run again"):
        archive.encode()
    (run,) = others
    artifact.verify_files(archive.store, run.directory, run.files)
    assert contents_of(archive, run) == undisturbed
    assert not archive.encode().is_new


def test_whoever_goes_on_with_a_run_is_at_it(archive: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that began it is gone; a third must not join the second, and nothing is left of any of them."""
    cut_off(archive, after=1)
    begun_by(archive, process=1, started="long ago")
    parent = os.getppid()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: parent)
        cut_off(archive, after=1)
    with pytest.raises(TemporaryError, match=rf"^process {parent} is encoding"):
        archive.encode()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: parent)
        archive.encode()
    assert not list(archive.store.local_root.glob("embeddings/*/*/begun*"))


@pytest.mark.parametrize("data", [b"", b"{}", b'{"contract_version": 1}'])
def test_a_beginning_that_cannot_be_read_is_passed_over(archive: Nights, data: bytes) -> None:
    """A killed process may leave anything: what it did is done again."""
    cut_off(archive, after=1)
    (path,) = archive.store.local_root.glob(f"embeddings/*/*/{BEGUN}")
    path.write_bytes(data)
    archive.read.clear()
    assert archive.encode().is_new
    assert len(archive.read) == PHOTOS + 1


@pytest.mark.parametrize("damage", ["cut", "middle", "empty"])
def test_damaged_outcomes_are_named(archive: Nights, damage: str) -> None:
    """Without the file its chunk is done again, as the line says."""
    cut_off(archive, after=2)
    (path, _) = sorted(archive.store.local_root.glob("embeddings/*/*/outcomes/*"))
    data = path.read_bytes()
    middle = data[: len(data) // 3] + bytes(100) + data[len(data) // 3 + 100 :]
    path.write_bytes({"cut": data[:-9], "middle": middle, "empty": b""}[damage])
    with pytest.raises(ArtifactRefusedError, match=rf"{path.name} .*; delete it, and its chunk is encoded again"):
        archive.encode()
    path.unlink()
    archive.encode()
    archive.index()
    assert len(archive.found()) == PHOTOS


def test_an_archive_that_vanishes_while_it_is_encoded(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is taken for removed or rejected; when it is there again, the run goes on."""
    for number in range(5):
        nights.put(f"{number}.jpg", number)
    nights.night()
    for number in range(5, 50):
        nights.put(f"new/{number}.jpg", number)
    plan_work = job.plan_work

    def vanishes(*arguments: Any, **named: Any) -> Any:
        work = plan_work(*arguments, **named)
        nights.path("new").rename(nights.folder / "away")
        return work

    with monkeypatch.context() as patch:
        patch.setattr(job, "plan_work", vanishes)
        with pytest.raises(TemporaryError, match=r"^45 of the 45 photos of .* nothing is taken for removed"):
            nights.encode()
    assert not nights.index().is_new
    assert len(nights.found()) == 5
    (nights.folder / "away").rename(nights.path("new"))
    nights.read.clear()
    assert nights.night().accounting.embedded == 45
    assert len(nights.read) == 45
    assert len(nights.found()) == 50


def test_a_finished_run_is_none_to_go_on_with(archive: Nights) -> None:
    """Also if it was killed before it had removed what it needed no more."""
    run = archive.encode().run
    begin_run(archive.store, run)
    assert not archive.encode().is_new
    assert outcome_paths(archive.store, run.directory) == []


def test_two_folders_are_two_runs(archive: Nights, tmp_path: Path) -> None:
    """A run goes on with what was done of its own archive."""
    cut_off(archive, after=2)
    archive.put("a.jpg", 1, archive="other")
    assert archive.encode("other").accounting.embedded == 1
    with pytest.MonkeyPatch.context() as patch:
        again = make_nights(tmp_path, patch)
        again.encode()
        assert len(again.read) == 3
