"""Files of a run: what is written is read back equal, small, and described exactly."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence
from foundation.store.runs import reject_schema
from pipelines.encode.decode_photos import Reject
from pipelines.encode.write_shards import (
    ROW_GROUP_ROWS,
    WriteShards,
    WrittenFile,
    rows_by_content,
    to_parquet,
    write_parquet,
    write_rejects,
)
from tests.builders import content, day, local_columns, photo_columns, shard_table


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_shard_round_trips(dtype) -> None:
    """Every column, the embedding bit by bit, and the metadata that names the encoder."""
    vectors = np.random.default_rng(0).standard_normal((5, 4))
    photos = [photo_columns(f"é{number}", published_at=day(number)) for number in range(5)]
    table = shard_table(photos, vectors=vectors, dtype=dtype)
    read = parquet.read_table(pa.BufferReader(to_parquet(table)))
    assert read.schema.metadata == table.schema.metadata
    assert read.equals(table)
    flat = read["embedding"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    np.testing.assert_array_equal(flat.reshape(5, 4), vectors.astype(dtype))


def test_vectors_are_split_by_byte_and_words_are_dictionaries() -> None:
    """The encoding that halves the size is really used; row groups are bounded."""
    photos = [photo_columns("a")] * (ROW_GROUP_ROWS + 1)
    metadata = parquet.read_metadata(
        pa.BufferReader(to_parquet(shard_table(photos, vectors=np.ones((len(photos), 2)))))
    )
    assert metadata.num_row_groups == 2
    group = metadata.row_group(0)
    columns = {group.column(index).path_in_schema: group.column(index) for index in range(group.num_columns)}
    assert "BYTE_STREAM_SPLIT" in columns["embedding.list.element"].encodings
    assert "RLE_DICTIONARY" in columns["caption"].encodings
    assert "RLE_DICTIONARY" not in columns["uri"].encodings
    assert {column.compression for column in columns.values()} == {"ZSTD"}


@pytest.mark.parametrize(("rows_per_shard", "shard_bytes", "expected"), [(2, 10**9, 2), (100, 25_000, 3), (100, 1, 1)])
def test_a_shard_is_bounded_by_rows_and_bytes(
    tmp_path: Path, rows_per_shard: int, shard_bytes: int, expected: int
) -> None:
    """Whichever comes first: a shard of thumbnails would otherwise fill the memory of a worker."""
    store, table = (
        Store(tmp_path),
        shard_table([photo_columns("a") | local_columns(0, thumbnail=bytes(10_000))], features="local"),
    )
    step = WriteShards(store, "run", rows_per_shard=rows_per_shard, shard_bytes=shard_bytes)
    step.start_bundle()
    written = [output for _ in range(6) for output in step.process(table)]
    assert [one.rows for one in written if isinstance(one, WrittenFile)] == [expected] * (6 // expected)


def test_a_written_file_is_described_as_it_lies_in_the_store(tmp_path: Path) -> None:
    """Name, rows, size and digest are what run.json will list; two files never share a name."""
    store, table = Store(tmp_path), shard_table([photo_columns("a"), photo_columns("b")])
    first, second = (write_parquet(store, "run", "part", table) for _ in range(2))
    assert first.name != second.name
    assert first.name.startswith("part-")
    assert store.files("run") == sorted([first.name, second.name])
    assert first.rows == 2
    assert artifact.record(store, "run", [first.name])[first.name] == first.record


def test_contents_name_each_row_by_its_place() -> None:
    """Duplicates are found by hash alone, and merged by shard and row."""
    table = shard_table([photo_columns("a", published_at=day(1)), photo_columns("b")])
    found = list(rows_by_content(table, "part-x"))
    assert [hash_ for hash_, _ in found] == [content("a"), content("b")]
    assert found[0][1] == ("part-x", 0, Occurrence("a", "file:///a", day(1)))
    assert found[1][1] == ("part-x", 1, Occurrence("b", "file:///b", None))


def test_rejects_are_written_and_counted_by_reason(tmp_path: Path) -> None:
    """Counts ride along for the accounting; the rows keep the detail."""
    store = Store(tmp_path)
    rejects = [
        Reject(f"{n}.jpg", f"file:///{n}.jpg", reason, "why") for n, reason in enumerate(["cut", "empty", "cut"])
    ]
    written = write_rejects(store, "run", iter(rejects))
    assert written.reasons == {"cut": 2, "empty": 1}
    assert written.rows == 3
    assert written.name.startswith("rejects-")
    table = parquet.read_table(tmp_path / "run" / written.name)
    assert table.schema == reject_schema()
    assert table["photo_id"].to_pylist() == ["0.jpg", "1.jpg", "2.jpg"]
