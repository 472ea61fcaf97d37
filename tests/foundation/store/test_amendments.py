"""Amendments: what counts of a run since its run.json was written; the run itself and its digest stay."""

from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError, UnknownVersionError
from foundation.store.amendments import AMENDMENTS, amend, read_amendments
from foundation.store.artifact import FileRecord
from foundation.store.chains import read_runs, waiting_runs
from foundation.store.files import Store
from foundation.store.history import read_history
from foundation.store.numbered import entry_path
from foundation.store.runs import Run, read_run, run_path
from pipelines.repair.job import repair
from tests.builders import add_encoder, add_run, unit_vectors

ADDED = FileRecord(5, "a" * 64)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path)


@pytest.fixture
def run(store: Store) -> Run:
    """A finished run of three photos in two shards."""
    return add_run(store, add_encoder(store), "run-1", unit_vectors(3, 4), per_shard=2)


def test_a_run_has_the_files_that_its_amendments_leave_and_add(store: Store, run: Run) -> None:
    """They are applied in their order, and the digest stays that of run.json, which later artifacts name."""
    first, second = run.rows
    _, digest = read_run(store, run.encoder_id, run.run_id)
    key = (run.encoder_id, run.run_id)
    amend(store, key, why="damaged", removed=[first], added={"part-new.parquet": ADDED}, rows={"part-new.parquet": 7})
    amend(store, key, why="again", removed=["part-new.parquet"], changes=4)
    found, after = read_run(store, run.encoder_id, run.run_id)
    assert (list(found.files), found.rows, found.changes) == ([second], {second: run.rows[second]}, 4)
    assert after == digest


def test_what_an_amendment_takes_out_is_removed_from_the_store(store: Store, run: Run) -> None:
    """The bytes go once the amendment is written: a process that dies in between leaves a file too many, none short."""
    first, second = run.rows
    amend(store, (run.encoder_id, run.run_id), why="damaged", removed=[first])
    assert not store.exists(f"{run.directory}/{first}")
    assert store.exists(f"{run.directory}/{second}")


def test_amendments_of_another_run_change_nothing(store: Store, run: Run) -> None:
    """Names of files may be the same in many runs."""
    amend(store, (run.encoder_id, "run-2"), why="damaged", removed=[next(iter(run.files))])
    assert read_run(store, run.encoder_id, run.run_id)[0] == run


def test_a_run_that_lost_something_does_not_wait_to_be_indexed(store: Store, run: Run) -> None:
    """Its inventory promises contents that nobody holds: the archive is encoded again instead."""
    assert waiting_runs(read_runs(store, run.encoder_id).finished, None)
    amend(store, (run.encoder_id, run.run_id), why="damaged", removed=list(run.files), is_whole=False)
    assert not waiting_runs(read_runs(store, run.encoder_id).finished, None)
    (seen,) = read_history(store, [run.encoder_id]).runs
    assert not seen.is_whole


def test_a_run_that_was_given_up_is_no_run_any_more(store: Store, run: Run) -> None:
    """Also if the process died before its description was removed: then it is said to be damaged."""
    described = store.read(run_path(run.encoder_id, run.run_id))
    amend(store, (run.encoder_id, run.run_id), why="damaged", removed=["run.json"])
    assert read_runs(store, run.encoder_id).finished == []
    store.create(run_path(run.encoder_id, run.run_id), described)
    assert "given up" in read_runs(store, run.encoder_id).damaged[run.run_id]


def test_a_damaged_amendment_counts_for_nothing(store: Store, run: Run) -> None:
    """No run stands still for it: what it took away is missed again, and what it added is found nowhere."""
    amend(store, (run.encoder_id, run.run_id), why="damaged", removed=[next(iter(run.files))])
    (store.local_root / entry_path(AMENDMENTS, 1)).write_bytes(b"{")
    assert list(read_amendments(store).damaged) == [1]
    assert read_run(store, run.encoder_id, run.run_id)[0] == run


def test_an_amendment_of_a_later_version_is_not_damaged(store: Store, run: Run) -> None:
    """It is refused, and so is every run: a repair that deleted it would undo what was purged."""
    amend(store, (run.encoder_id, run.run_id), why="purge", removed=[next(iter(run.files))])
    path = store.local_root / entry_path(AMENDMENTS, 1)
    path.write_text(path.read_text().replace('"contract_version": 1', '"contract_version": 2'))
    with pytest.raises(UnknownVersionError, match="use the version of firstseen that wrote it"):
        repair(store)
    with pytest.raises(UnknownVersionError):
        read_run(store, run.encoder_id, run.run_id)
    assert path.exists()


@pytest.mark.parametrize("part", ["inventory", "changes"])
def test_a_part_of_a_run_that_was_lost_is_named(store: Store, run: Run, part: str) -> None:
    """The run of the builders has neither: whoever asks for one learns what mends that."""
    with pytest.raises(ArtifactRefusedError, match=rf"run run-1 has lost its {part}\.parquet; .*`firstseen repair`"):
        getattr(run, f"{part}_file")


def test_a_part_that_was_written_anew_is_known_by_the_beginning_of_its_name(store: Store, run: Run) -> None:
    """Two files cannot have one name while one takes the place of the other."""
    amend(store, (run.encoder_id, run.run_id), why="purge", added={"inventory-1.parquet": ADDED})
    found, _ = read_run(store, run.encoder_id, run.run_id)
    assert found.inventory_file == "inventory-1.parquet"
