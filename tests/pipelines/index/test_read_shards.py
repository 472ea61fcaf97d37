"""Rows of a segment: shards read with every check, exact duplicates collapsed."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import ArtifactRefusedError, InputNotFoundError
from foundation.store.files import Store
from pipelines.index.plan import ShardReference
from pipelines.index.read_shards import collapse, read_shards
from tests.builders import DIMENSION, ENCODER_DIGEST, content, day, photo_columns, shard_table, write_shard


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path)


def read(store: Store, *shards: ShardReference, dimension: int = DIMENSION):
    """Reads the shards as the encoder's."""
    return read_shards(store, shards, dimension=dimension, encoder_digest=ENCODER_DIGEST)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_shards_are_read_in_their_order(store: Store, dtype) -> None:
    """Columns and float32 vectors of all shards, row by row the same photos."""
    tables = [shard_table([photo_columns(f"{n}{i}") for i in range(n)], dtype=dtype) for n in (3, 1, 2)]
    columns, vectors, local = read(store, *(write_shard(store, table) for table in tables))
    assert columns["photo_id"].to_pylist() == ["30", "31", "32", "10", "20", "21"]
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
    with pytest.raises(ArtifactRefusedError, match=r"has 1 rows; run\.json lists 2"):
        read(store, replace(shard, rows=2))


dates = st.none() | st.integers(0, 20_000).map(day)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), dates, st.integers(0, 3)), min_size=1, max_size=15))
def test_collapse_equals_a_naive_grouping(photos: list[tuple[int, datetime | None, int]]) -> None:
    """One row per content, sorted by hash; the first published stays, with its own vector and all occurrences."""
    rows = [
        photo_columns(f"{number:02}-{place}", content_sha256=content(name), published_at=date)
        for number, (name, date, place) in enumerate(photos)
    ]
    table = shard_table(rows).drop_columns(["embedding"])
    vectors = np.arange(len(rows) * 2, dtype=np.float32).reshape(-1, 2)
    collapsed, kept_vectors, hashes, places = collapse(table, vectors)

    expected = sorted({row["content_sha256"] for row in rows})
    assert collapsed["content_sha256"].to_pylist() == expected
    assert [bytes(one).ljust(32, b"\0") for one in hashes] == expected
    assert hashes.dtype == "S32"
    assert [expected[place] for place in places] == [row["content_sha256"] for row in rows]
    for row, vector in zip(collapsed.to_pylist(), kept_vectors, strict=True):
        same = [one for one in rows if one["content_sha256"] == row["content_sha256"]]
        same.sort(key=lambda one: (one["published_at"] is None, one["published_at"] or 0, one["photo_id"]))
        assert row["photo_id"] == same[0]["photo_id"]
        assert [one["photo_id"] for one in row["occurrences"]] == [one["photo_id"] for one in same]
        np.testing.assert_array_equal(vector, vectors[rows.index(same[0])])


def test_hashes_that_end_in_zero_bytes_stay_apart() -> None:
    """NumPy drops trailing zeros of single values: neighbours in the order must not run together."""
    hashes = [bytes(31) + b"\1", bytes(32), b"\1" + bytes(31), b"\1" + bytes(30) + b"\1", b"\xff" * 32]
    rows = [photo_columns(str(number), content_sha256=one) for number, one in enumerate(hashes)]
    table = shard_table(rows).drop_columns(["embedding"])
    collapsed, _, found, _ = collapse(table, np.zeros((5, 2), np.float32))
    assert collapsed["content_sha256"].to_pylist() == sorted(hashes)
    assert found.tobytes() == b"".join(sorted(hashes))
