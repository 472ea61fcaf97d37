"""Rows of a segment: one per content that some photo has, sorted by hash, with its own vector and occurrences."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from foundation.store.occurrences import Occurrence
from foundation.store.run_tables import photo_fields
from pipelines.index import photo_parts
from pipelines.index.collapse import SegmentRows, collapse
from pipelines.index.photo_parts import PhotoParts
from pipelines.index.read_shards import LocalSizes, ShardRows
from tests.builders import content, day, photo_columns

SCHEMA = pa.schema(photo_fields())


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dozen rows are several parts."""
    monkeypatch.setattr(photo_parts, "PART_ROWS", 3)


def vectors_of(rows: list[dict]) -> np.ndarray:
    """Returns a vector for each row, none like another."""
    return np.arange(len(rows) * 2, dtype=np.float32).reshape(-1, 2)


def collapsed(folder: Path, rows: list[dict], *, changes=(), left_out=()) -> tuple[SegmentRows, list[dict]]:
    """Returns the rows of a segment of shards with these rows, and its photos; `left_out` are numbers of rows."""
    (folder / "parts").mkdir()
    photos = PhotoParts(folder / "parts", len(rows), SCHEMA)
    for start in range(0, len(rows), 5):
        photos.append(pa.Table.from_pylist(rows[start : start + 5], schema=SCHEMA))
    nothing = np.zeros(len(rows), np.int64)
    read = ShardRows(photos, vectors_of(rows), LocalSizes(nothing, nothing, np.zeros((len(rows), 2), np.uint16)))
    mask = np.isin(np.arange(len(rows)), list(left_out))
    found = collapse(read, folder / "photos.parquet", changes=dict(changes), left_out=mask)
    return found, parquet.read_table(folder / "photos.parquet").to_pylist()


dates = st.none() | st.integers(0, 20_000).map(day)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), dates, st.integers(0, 3)), max_size=15))
def test_collapse_equals_a_naive_grouping(
    tmp_path_factory: pytest.TempPathFactory, photos: list[tuple[int, datetime | None, int]]
) -> None:
    """One row per content, sorted by hash; the first published names it, the first read gives the vector."""
    rows = [
        photo_columns(f"{number:02}-{place}", content_sha256=content(name), published_at=date)
        for number, (name, date, place) in enumerate(photos)
    ]
    found, table = collapsed(tmp_path_factory.mktemp("rows"), rows)
    expected = sorted({row["content_sha256"] for row in rows})
    assert [row["content_sha256"] for row in table] == expected
    assert found.hashes.tobytes() == b"".join(expected)
    assert [expected[place] for place in found.rows] == [row["content_sha256"] for row in rows]
    assert (found.photos, found.removed, found.mentioned) == (len(rows), [], {})
    for row, vector in zip(table, found.vectors, strict=True):
        same = [one for one in rows if one["content_sha256"] == row["content_sha256"]]
        np.testing.assert_array_equal(vector, vectors_of(rows)[rows.index(same[0])])
        same.sort(key=lambda one: (one["published_at"] is None, one["published_at"] or 0, one["photo_id"]))
        assert row["photo_id"] == same[0]["photo_id"]
        assert [one["photo_id"] for one in row["occurrences"]] == [one["photo_id"] for one in same]


def test_hashes_that_end_in_zero_bytes_stay_apart(tmp_path: Path) -> None:
    """NumPy drops trailing zeros of single values: neighbours in the order must not run together."""
    hashes = [bytes(31) + b"\1", bytes(32), b"\1" + bytes(31), b"\1" + bytes(30) + b"\1", b"\xff" * 32]
    rows = [photo_columns(str(number), content_sha256=one) for number, one in enumerate(hashes)]
    found, table = collapsed(tmp_path, rows)
    assert [row["content_sha256"] for row in table] == sorted(hashes)
    assert found.hashes.tobytes() == b"".join(sorted(hashes))


def test_what_another_segment_holds_is_mentioned_and_no_row(tmp_path: Path) -> None:
    """Its occurrences are told all the same; the other rows keep their vectors."""
    rows = [photo_columns(str(number), content_sha256=content(number)) for number in range(8)]
    found, table = collapsed(tmp_path, rows, left_out=[2, 5])
    assert set(found.mentioned) == {content(2), content(5)}
    assert [one.photo_id for one in found.mentioned[content(5)]] == ["5"]
    assert found.rows[[2, 5]].tolist() == [-1, -1]
    kept = [0, 1, 3, 4, 6, 7]
    assert sorted(row["photo_id"] for row in table) == list(map(str, kept))
    np.testing.assert_array_equal(found.vectors[found.rows[kept]], vectors_of(rows)[kept])


def test_changes_count_beside_what_the_shards_say(tmp_path: Path) -> None:
    """A photo that went takes its content with it, unless another has it; that is told, too."""
    rows = [photo_columns(name, content_sha256=content(name)) for name in ("gone", "shared", "kept")]

    def went(name: str) -> Occurrence:
        return Occurrence(name, f"file:///{name}", generation=2, is_removed=True)

    changes = {
        content("gone"): [went("gone")],
        content("shared"): [went("shared"), Occurrence("other", "file:///other", generation=2)],
    }
    found, table = collapsed(tmp_path, rows, changes=changes)
    assert {row["photo_id"] for row in table} == {"other", "kept"}
    assert found.removed == [content("shared")]
    assert found.photos == 2
    assert [one.is_removed for one in found.mentioned[content("gone")]] == [True]
    assert found.rows[0] == -1


@pytest.mark.parametrize(("left_out", "rows"), [([0], [0, 0]), ([0, 1], [-1, -1])])
def test_a_content_is_held_if_any_of_its_rows_is_not_left_out(
    tmp_path: Path, left_out: list[int], rows: list[int]
) -> None:
    """A row with local features is, where another segment holds the content without them; one without is not."""
    twice = [photo_columns(name, content_sha256=content("x")) for name in "ab"]
    found, table = collapsed(tmp_path, twice, left_out=left_out)
    assert found.rows.tolist() == rows
    assert len(table) == len(set(rows) - {-1})
