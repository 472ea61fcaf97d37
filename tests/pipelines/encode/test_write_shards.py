"""Files of a run: what is written is read back equal, small, and described exactly."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from foundation.store import artifact
from foundation.store.files import Store
from pipelines.encode.write_shards import ROW_GROUP_ROWS, to_parquet, write_shard
from tests.builders import day, photo_columns, shard_table


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


def test_a_written_file_is_described_as_it_lies_in_the_store(tmp_path: Path) -> None:
    """Name, rows, size and digest are what run.json will list; two files never share a name."""
    store, table = Store(tmp_path), shard_table([photo_columns("a"), photo_columns("b")])
    first, second = (write_shard(store, "run", table) for _ in range(2))
    assert first.name != second.name
    assert first.name.startswith("part-")
    assert store.files("run") == sorted([first.name, second.name])
    assert first.rows == 2
    assert artifact.record(store, "run", [first.name])[first.name] == first.record
