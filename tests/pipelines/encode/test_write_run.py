"""Finishing a run: as a transform of its own, retried, and with photos that went missing."""

import hashlib
from dataclasses import replace
from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue
from pyarrow import parquet

from foundation.errors import FirstseenError
from foundation.store import artifact
from foundation.store.artifact import FileRecord
from foundation.store.files import Store
from foundation.store.runs import INVENTORY, Accounting, Run, read_run
from pipelines.encode.decode_photos import Reject
from pipelines.encode.encode_photos import EncodedPhotos
from pipelines.encode.write_run import WriteRun, account, finish_run
from pipelines.encode.write_shards import ROWS_BY_CONTENT, WriteRejects, WriteShards, WrittenFile, write_parquet
from pipelines.runners.run import create_pipeline, run_to_end
from tests.builders import ENCODER_DIGEST, content, day, photo_columns, shard_table

VECTOR = np.eye(4, dtype=np.float32)[:1]
REJECT = Reject("bad.jpg", "file:///bad.jpg", "truncated", "why")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store whose one run has an inventory, and nothing else."""
    store = Store(tmp_path / "store", create=True)
    store.create(f"{planned(0).directory}/{INVENTORY}", b"inventory")
    return store


def planned(listed: int) -> Run:
    """A run that has not begun, of so many photos."""
    return Run(
        run_id="run",
        archive="made",
        created_at=artifact.now(),
        encoder_id="encoder",
        encoder_digest=ENCODER_DIGEST,
        decode_rule=1,
        dimension=4,
        distance="cosine",
        dtype="float32",
        accounting=Accounting(listed=listed, embedded=0, duplicates=0),
        rows={},
        files={},
        features="none",
    )


def tables_of(*names: str, copies: str = "") -> list[pa.Table]:
    """One table for each name; all those in `copies` have one content, the later name the earlier date."""
    return [
        shard_table(
            [
                photo_columns(
                    name, content_sha256=content("copy" if name in copies else name), published_at=day(-ord(name))
                )
            ],
            vectors=VECTOR,
        )
        for name in names
    ]


def write(store: Store, run: Run, tables: list[pa.Table], rejects: list[Reject], *, rows_per_shard: int = 1) -> Run:
    """Runs the transform alone, on rows and rejects that nobody encoded, and returns the finished run."""
    pipeline = create_pipeline("local", beam_flags=[])
    rows = pipeline | "Rows" >> beam.Create(tables, reshuffle=False)
    encoded = EncodedPhotos(rows, pipeline | "Rejects" >> beam.Create(rejects, reshuffle=False))
    _ = encoded | WriteRun(store, run, rows_per_shard=rows_per_shard)
    run_to_end(pipeline)
    return read_run(store, "encoder", "run")[0]


def rows_of(store: Store, run: Run) -> list[dict]:
    """The rows of all shards that the run lists, by photo_id."""
    tables = [parquet.read_table(store.local_root / run.directory / name) for name in run.shards]
    return sorted((row for table in tables for row in table.to_pylist()), key=lambda row: row["photo_id"])


@pytest.mark.parametrize("rows_per_shard", [1, 2, 100])
def test_rows_and_rejects_become_a_finished_run(store: Store, rows_per_shard: int) -> None:
    """Duplicates are merged wherever they lie, everything is counted, and the directory holds what is listed."""
    tables = tables_of("a", "b", "c", "d", "e", copies="bde")
    run = write(store, planned(6), tables, [REJECT], rows_per_shard=rows_per_shard)
    assert run.accounting == Accounting(listed=6, embedded=3, duplicates=2, rejected={"truncated": 1})
    rows = rows_of(store, run)
    assert [row["photo_id"] for row in rows] == ["a", "c", "e"]
    assert [one["photo_id"] for one in rows[2]["occurrences"]] == ["e", "d", "b"]
    assert set(store.files(run.directory)) == {*run.files, "run.json"}
    assert run.rows == {
        name: parquet.read_metadata(store.local_root / run.directory / name).num_rows for name in run.rows
    }
    for name, record in run.files.items():
        data = store.read(f"{run.directory}/{name}")
        assert (record.size_bytes, record.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_a_run_of_nothing_but_rejects_is_finished(store: Store) -> None:
    """No shard, and no empty file in the place of one."""
    run = write(store, planned(1), [], [REJECT])
    assert (run.shards, run.accounting.rejected) == ({}, {"truncated": 1})
    assert len(store.files(run.directory)) == 3


@pytest.mark.parametrize("listed", [1, 3])
def test_a_photo_too_few_or_too_many_is_no_run(store: Store, listed: int) -> None:
    """The equation fails whichever side is larger, and run.json, which would make the run count, is not written."""
    with pytest.raises(FirstseenError, match="lost track of photos"):
        write(store, planned(listed), tables_of("a", "b"), [])
    assert "run.json" not in store.files(planned(0).directory)


def test_files_of_a_failed_attempt_are_not_listed(store: Store) -> None:
    """A bundle that is retried leaves a shard behind: the rows in it do not count twice."""
    left = write_parquet(store, planned(0).directory, "part", tables_of("a")[0])
    run = write(store, planned(2), tables_of("a", "b"), [])
    assert run.accounting.embedded == 2
    assert left.name not in run.files
    assert left.name in store.files(run.directory)


def test_finishing_twice_writes_the_same(store: Store) -> None:
    """Beam may run the last step again, after it has deleted what was merged."""
    table = tables_of("a")[0]
    old, other, new = (write_parquet(store, planned(0).directory, "part", table) for _ in range(3))
    run = planned(4)
    for _ in range(2):
        finish_run(run, [old, other], [(old.name, None), (other.name, new)], [reject_file(2)], store=store)
        finished, digest = read_run(store, "encoder", "run")
        assert list(finished.shards) == [new.name]
        assert digest == artifact.digest_of(store.read(f"{run.directory}/run.json"))
        assert not {old.name, other.name} & set(store.files(run.directory))


def reject_file(count: int) -> WrittenFile:
    """The description of a file of so many rejects, of two reasons."""
    return WrittenFile("rejects-x", count, FileRecord(1, "0" * 64), {"truncated": count - 1, "corrupt": 1})


def test_the_account_adds_up_reasons_and_duplicates() -> None:
    """Reasons of all files are added and sorted, and the rows that merging dropped are the duplicates."""
    shard = WrittenFile("part-x", 5, FileRecord(1, "0" * 64))
    merged = replace(shard, rows=3)
    found = account(planned(10), [shard], [merged], [reject_file(2), reject_file(3)])
    assert found == Accounting(listed=10, embedded=3, duplicates=2, rejected={"corrupt": 2, "truncated": 3})
    assert list(found.rejected) == ["corrupt", "truncated"]


def bundle(step: beam.DoFn, *elements: object) -> tuple[list, list]:
    """Runs one bundle by hand; returns what came with the elements, and what came at its end."""
    step.start_bundle()
    during = [output for element in elements for output in step.process(element) or ()]
    return during, list(step.finish_bundle() or ())


def test_a_bundle_ends_a_shard(store: Store) -> None:
    """Full shards are written on the way, the rest at the end, in the global window; nothing leaks into the next."""
    step = WriteShards(store, "run", rows_per_shard=2)
    during, after = bundle(step, *tables_of("a", "b", "c"))
    assert [one.rows for one in during if isinstance(one, WrittenFile)] == [2]
    assert [one.value[1].photo.photo_id for one in during if isinstance(one, TaggedOutput)] == ["a", "b"]
    (shard,) = [one for one in after if isinstance(one, WindowedValue)]
    (row,) = [one for one in after if isinstance(one, TaggedOutput)]
    assert (shard.value.rows, shard.windows) == (1, (GlobalWindow(),))
    assert (row.tag, row.value.windows) == (ROWS_BY_CONTENT, (GlobalWindow(),))
    hash_, place = row.value.value
    assert (hash_, place.shard, place.row) == (content("c"), shard.value.name, 0)
    assert bundle(step) == ([], [])


def test_a_bundle_that_failed_leaves_nothing_to_the_next(store: Store) -> None:
    """Beam uses the same step again: rows of the failed bundle come again, and would be written twice."""
    step, rejects = WriteShards(store, "run", rows_per_shard=10), WriteRejects(store, "run")
    step.start_bundle()
    list(step.process(tables_of("a")[0]))
    rejects.start_bundle()
    rejects.process(REJECT)
    _, after = bundle(step, tables_of("b")[0])
    assert [one.value.rows for one in after if isinstance(one, WindowedValue)] == [1]
    assert bundle(rejects) == ([], [])


def test_the_rejects_of_a_bundle_are_one_file(store: Store) -> None:
    """And a bundle without any is none."""
    step = WriteRejects(store, "run")
    _, (written,) = bundle(step, REJECT, replace(REJECT, photo_id="worse.jpg"))
    assert (written.value.rows, written.value.reasons) == (2, {"truncated": 2})
    assert bundle(step) == ([], [])
