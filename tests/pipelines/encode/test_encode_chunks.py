"""Encoding chunks in a pipeline: every chunk is done, whatever the runner, and errors keep their type."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from foundation.archives.archive import open_archive, read
from foundation.encoder import SavedEncoder
from foundation.errors import ArtifactRefusedError, UsageError
from foundation.photos import photo
from foundation.store.chains import RunsOfEncoder
from foundation.store.files import Store
from foundation.store.runs import Run
from pipelines.encode import encode_chunks, job
from pipelines.encode.compare import work_schema
from pipelines.encode.encode_chunks import add_steps
from pipelines.encode.outcomes import outcome_paths
from pipelines.encode.plan import EncodeOptions, plan_run
from pipelines.encode.previous import find_previous
from pipelines.encode.work import Work
from pipelines.runners.reported import ErrorReport
from pipelines.runners.run import create_pipeline, run_to_end


@pytest.fixture
def listed(store: Path, archive: Path, saved_encoder: SavedEncoder) -> tuple[Store, Run, Work]:
    """A store with a run that is to read ten photos and an empty file, four to a chunk."""
    (archive / "empty.jpg").write_bytes(b"")
    opened, place = open_archive(str(archive)), Store(store)
    previous = find_previous(RunsOfEncoder([]), None, opened.uri)
    run = plan_run(opened, saved_encoder.spec, saved_encoder.digest, previous, dtype="float32", features="none")
    rows = [
        {"position": n, "photo_id": one.photo_id, "uri": one.uri, "size_bytes": one.size_bytes}
        for n, one in enumerate(opened.list())
    ]
    path = f"{run.directory}/work/x.parquet"
    (store / path).parent.mkdir(parents=True)
    parquet.write_table(pa.Table.from_pylist(rows, schema=work_schema()), store / path, row_group_size=4)
    return place, run, Work(attempt="x", path=path, chunks=3, known=[], withdrawn=[])


def encode(store: Store, run: Run, work: Work, encoder: SavedEncoder) -> None:
    """Runs the pipeline on the local runner."""
    pipeline = create_pipeline("local", beam_flags=[])
    add_steps(pipeline, store, run, encoder.spec, work, batch_size=3, progress_directory=None)
    run_to_end(pipeline, report=ErrorReport.beside(store, work.path))


def test_every_chunk_is_done(listed: tuple[Store, Run, Work], saved_encoder: SavedEncoder) -> None:
    """The rows have the vectors of photos that are encoded one by one; what cannot be used is there by name."""
    store, run, work = listed
    encode(store, run, work, saved_encoder)
    paths = outcome_paths(store, run.directory)
    assert len(paths) == 3
    outcomes = [row for path in paths for row in parquet.read_table(store.local_root / path).to_pylist()]
    assert {row["photo_id"]: row["reason"] for row in outcomes if row["reason"]} == {"empty.jpg": "empty_file"}
    shards = [parquet.read_table(path) for path in (store.local_root / run.directory).glob("part-*.parquet")]
    rows = [row for shard in shards for row in shard.to_pylist()]
    assert len(rows) == 10
    for row in rows:
        pixels = photo.decode(read(row["uri"]), size=saved_encoder.spec.size).pixels
        np.testing.assert_allclose(row["embedding"], saved_encoder.encode(pixels[None])[0], atol=1e-5)


def test_an_encoder_that_the_run_does_not_name_is_refused(
    listed: tuple[Store, Run, Work], saved_encoder: SavedEncoder
) -> None:
    """Before the first vector: two encoders in one run could never be told apart again."""
    store, run, work = listed
    with pytest.raises(ArtifactRefusedError, match="names 000000000000…"):
        encode(store, replace(run, encoder_digest="0" * 64), work, saved_encoder)
    assert outcome_paths(store, run.directory) == []


def test_chunks_that_no_worker_did_are_told(store: Path, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that do not see the store pass over their work, and the runner takes the job for done."""
    monkeypatch.setattr(encode_chunks, "run_to_end", lambda *_, **__: None)
    with pytest.raises(
        UsageError, match=r"with 1 of 1 chunks .*; expected embeddings/\S+\.parquet to be seen in store /\S+ "
    ):
        job.encode(EncodeOptions(archive=str(archive), store=str(store)))
