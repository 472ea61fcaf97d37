"""The database of inventories: files are read as they are named, and written in row groups of just so many rows."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from pipelines.encode.database import add_table, count, in_groups, open_database, rows_of, write_query

NUMBERS = pa.schema([("number", pa.int64())])


@given(st.lists(st.integers(0, 7), max_size=8), st.integers(1, 5))
def test_batches_of_any_size_become_groups_of_one_size(sizes: list[int], rows: int) -> None:
    """Each row once and in its order; the last group has what is left."""
    numbers = iter(range(100))
    batches = [
        pa.record_batch({"number": pa.array([next(numbers) for _ in range(size)], pa.int64())}) for size in sizes
    ]
    groups = list(in_groups(pa.RecordBatchReader.from_batches(NUMBERS, batches), rows))
    assert [number for group in groups for number in group["number"].to_pylist()] == list(range(sum(sizes)))
    assert [group.num_rows for group in groups[:-1]] == [rows] * (len(groups) - 1 if groups else 0)
    assert all(0 < group.num_rows <= rows for group in groups)


@pytest.mark.parametrize("name", ["a[1].parquet", "a*.parquet", "a?.parquet"])
def test_a_name_is_no_pattern(tmp_path: Path, name: str) -> None:
    """A run of one archive must not be compared with the files of another."""
    for one, number in ((name, 1), ("a1.parquet", 2)):
        parquet.write_table(pa.table({"number": [number]}, schema=NUMBERS), tmp_path / one)
    with open_database(tmp_path) as database:
        add_table(database, "numbers", [tmp_path / name], NUMBERS)
        assert rows_of(database, "SELECT number FROM numbers") == [(1,)]


def test_a_table_of_no_files_has_no_rows_and_missing_columns_are_null(tmp_path: Path) -> None:
    """The first night has no inventory to compare with; older files lack columns."""
    wider = pa.schema([*NUMBERS, ("word", pa.string())])
    parquet.write_table(pa.table({"number": [1]}, schema=NUMBERS), tmp_path / "a.parquet")
    with open_database(tmp_path) as database:
        add_table(database, "empty", [], wider)
        add_table(database, "older", [tmp_path / "a.parquet"], wider)
        assert count(database, "SELECT count(*) FROM empty WHERE word IS NULL") == 0
        assert rows_of(database, "SELECT word, number FROM older") == [(None, 1)]


def test_a_query_is_written_in_the_columns_that_are_asked_for(tmp_path: Path) -> None:
    """In their order and types; without a row there is a file all the same."""
    schema = pa.schema([("b", pa.int32()), ("a", pa.string())])
    with open_database(tmp_path) as database:
        query = "SELECT 'x' AS a, range AS b, 1 AS more FROM range(5)"
        assert write_query(database, query, tmp_path / "five.parquet", schema, rows_per_group=2) == 5
        assert write_query(database, f"{query} WHERE FALSE", tmp_path / "none.parquet", schema, rows_per_group=2) == 0
    file = parquet.ParquetFile(tmp_path / "five.parquet")
    assert file.schema_arrow == parquet.read_schema(tmp_path / "none.parquet") == schema
    assert [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)] == [2, 2, 1]
