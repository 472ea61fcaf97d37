"""The tables of a segment: who holds the contents of many rows, across row groups and versions."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from foundation.store.occurrences import Occurrence, occurrence_type
from serving.search import photo_table
from serving.search.photo_table import PhotoTable
from tests.segments import occurrence

ROWS = 23


def write(path: Path, occurrences: list[list[Occurrence]], *, version: int = 3) -> PhotoTable:
    """Writes a table of these occurrences in row groups of four, and opens it."""
    kind = pa.struct(list(occurrence_type())[:3]) if version < 3 else occurrence_type()
    structs = [[{field.name: getattr(one, field.name) for field in kind} for one in row] for row in occurrences]
    parquet.write_table(pa.table({"occurrences": pa.array(structs, pa.list_(kind))}), path, row_group_size=4)
    return PhotoTable(path)


def who(table: PhotoTable, rows: list[int]) -> list[tuple]:
    """Returns (number, archive, photo_id, generation, is_removed) of what is yielded."""
    found = pa.concat_tables(table.who(np.array(rows, np.int64))).to_pylist()
    return [tuple(row[name] for name in ("number", "archive", "photo_id", "generation", "is_removed")) for row in found]


@pytest.mark.parametrize("read_at_a_time", [1, 2, 64])
@pytest.mark.parametrize("rows", [[0], [3, 4], [0, 7, 8, 9, 21, 22], [5, 20], list(range(ROWS))])
def test_the_occurrences_of_rows_are_found_in_any_row_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[int], read_at_a_time: int
):
    """However many row groups are read at a time; a row without any occurrence is passed over."""
    monkeypatch.setattr(photo_table, "READ_ROW_GROUPS", read_at_a_time)
    made = [
        [occurrence(f"{row}-{number}.jpg", generation=row, is_removed=number == 1) for number in range(row % 3)]
        for row in range(ROWS)
    ]
    expected = [
        (number, "file:///archive", f"{row}-{one}.jpg", row, one == 1)
        for number, row in enumerate(rows)
        for one in range(row % 3)
    ]
    table = write(tmp_path / "photos.parquet", made)
    assert table.rows == ROWS
    assert who(table, rows) == expected


def test_a_table_of_an_older_version_names_no_archive(tmp_path: Path):
    """Its occurrences are of the first generation, and none is removed."""
    table = write(tmp_path / "photos.parquet", [[Occurrence("a.jpg", "file:///a.jpg")]], version=2)
    assert who(table, [0]) == [(0, "", "a.jpg", 0, False)]
