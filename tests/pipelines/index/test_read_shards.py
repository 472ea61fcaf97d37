"""Rows of a segment: shards read with every check."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from foundation.errors import ArtifactRefusedError, InputNotFoundError
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence
from pipelines.index.plan import ShardReference
from pipelines.index.read_shards import read_shards
from tests.builders import DIMENSION, ENCODER_DIGEST, photo_columns, shard_table, write_shard


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path)


def read(store: Store, *shards: ShardReference, dimension: int = DIMENSION):
    """Reads the shards as the encoder's; their photos go into a folder of the store, which has to be empty."""
    folder = store.local_root / "photos"
    folder.mkdir()
    return read_shards(store, shards, folder, dimension=dimension, encoder_digest=ENCODER_DIGEST)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_shards_are_read_in_their_order(store: Store, dtype) -> None:
    """Columns and float32 vectors of all shards, row by row the same photos."""
    tables = [shard_table([photo_columns(f"{n}{i}") for i in range(n)], dtype=dtype) for n in (3, 1, 2)]
    photos, vectors, local = read(store, *(write_shard(store, table) for table in tables))
    columns = pa.concat_tables(photos).sort_by("row")
    assert columns["photo_id"].to_pylist() == ["30", "31", "32", "10", "20", "21"]
    assert columns["row"].to_pylist() == [0, 1, 2, 3, 4, 5]
    assert "embedding" not in columns.column_names
    assert not any(one.any() for one in local)
    assert vectors.dtype == np.float32
    expected = [row for table in tables for row in table["embedding"].to_pylist()]
    np.testing.assert_array_equal(vectors, np.array(expected, np.float32))


def test_a_flipped_bit_is_refused(store: Store, tmp_path: Path) -> None:
    """The digest of run.json decides, not Parquet's own reader."""
    shard = write_shard(store, shard_table([photo_columns("a")]))
    data = bytearray((tmp_path / shard.path).read_bytes())
    data[len(data) // 3] ^= 1
    (tmp_path / shard.path).write_bytes(data)
    with pytest.raises(ArtifactRefusedError, match=f"shard {shard.path} is damaged"):
        read(store, shard)


def test_a_missing_shard_is_an_input_error(store: Store, tmp_path: Path) -> None:
    """It is named."""
    shard = write_shard(store, shard_table([photo_columns("a")]))
    (tmp_path / shard.path).unlink()
    with pytest.raises(InputNotFoundError, match=shard.path):
        read(store, shard)


def test_another_encoders_shard_is_refused(store: Store) -> None:
    """The error names both sides; a file without any digest is no shard of ours either."""
    other = write_shard(store, shard_table([photo_columns("a")], encoder_digest="f" * 64))
    with pytest.raises(ArtifactRefusedError, match=r"digest ffffffffffff…, .* eeeeeeeeeeee…"):
        read(store, other)
    (store.local_root / "photos").rmdir()
    nobodys = write_shard(store, shard_table([photo_columns("a")]).replace_schema_metadata(None))
    with pytest.raises(ArtifactRefusedError, match="two encoders cannot be mixed"):
        read(store, nobodys)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_vector_that_is_not_finite_is_refused(store: Store, value: float, dtype) -> None:
    """One would kill the process in a tree build, without an exception."""
    vectors = np.ones((3, DIMENSION))
    vectors[1, 2] = value
    table = shard_table([photo_columns(str(n)) for n in range(3)], vectors=vectors, dtype=dtype)
    with pytest.raises(ArtifactRefusedError, match="not finite"):
        read(store, write_shard(store, table))


def test_wrong_dimension_and_wrong_rows_are_refused(store: Store) -> None:
    """What the file holds must be what run.json and encoder.json say of it."""
    shard = write_shard(store, shard_table([photo_columns("a")]))
    with pytest.raises(ArtifactRefusedError, match="holds vectors of 4 numbers; the encoder gives 8"):
        read(store, shard, dimension=8)
    (store.local_root / "photos").rmdir()
    with pytest.raises(ArtifactRefusedError, match=r"has 1 rows; run\.json lists 2"):
        read(store, replace(shard, rows=2))


def test_occurrences_name_the_archive_and_the_generation_of_their_run(store: Store) -> None:
    """A shard says neither: its run does; of an older version a row's words are those of its own photo."""
    row = photo_columns("a") | {"credit": "Agency"}
    copy = Occurrence("b", "file:///b").to_struct()
    shard = write_shard(store, shard_table([row | {"occurrences": [*row["occurrences"], copy]}]))
    photos, _, _ = read(store, replace(shard, archive="file:///archive", generation=-2))
    (occurrences,) = pa.concat_tables(photos)["occurrences"].to_pylist()
    assert [(one["archive"], one["generation"], one["credit"]) for one in occurrences] == [
        ("file:///archive", -2, "Agency"),
        ("file:///archive", -2, None),
    ]


def test_no_shard_at_all_has_no_rows(store: Store) -> None:
    """A run of changes alone makes a segment, too."""
    photos, vectors, local = read(store)
    assert (list(photos), vectors.shape, local.frames.shape) == ([], (0, DIMENSION), (0, 2))
