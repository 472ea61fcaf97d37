"""Photos in parts on disk: none is lost, copies stay together, and the parts are in the order of the hashes."""

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest

from foundation.store.run_tables import photo_fields
from pipelines.index import photo_parts
from pipelines.index.photo_parts import PhotoParts
from tests.builders import content, photo_columns

SCHEMA = pa.schema(photo_fields())


@pytest.mark.parametrize("part_rows", [1, 7, 1_000])
def test_parts_hold_each_row_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part_rows: int) -> None:
    """Of three shards with many copies, in parts of few rows and of many."""
    monkeypatch.setattr(photo_parts, "PART_ROWS", part_rows)
    rows = [photo_columns(str(number), content_sha256=content(number % 40)) for number in range(100)]
    parts = PhotoParts(tmp_path, len(rows), SCHEMA)
    for first in (0, 30, 90):
        parts.append(pa.Table.from_pylist(rows[first : {0: 30, 30: 90, 90: 100}[first]], schema=SCHEMA))
    tables = list(parts)
    assert len(tables) == len(list(tmp_path.iterdir()))
    assert (len(tables) > 1) == (part_rows < 100)
    hashes = [part["content_sha256"].to_pylist() for part in tables]
    assert all(max(one) < min(other) for one, other in pairwise(hashes))
    for part in tables:
        numbers = part["row"].to_pylist()
        assert numbers == sorted(numbers)
        assert part["photo_id"].to_pylist() == [str(number) for number in numbers]
    assert sorted(number for part in tables for number in part["row"].to_pylist()) == list(range(100))
    assert [bytes(one).ljust(32, b"\0") for one in parts.contents()] == [row["content_sha256"] for row in rows]


def test_nothing_is_no_part(tmp_path: Path) -> None:
    """A segment of changes alone reads no shard."""
    parts = PhotoParts(tmp_path, 0, SCHEMA)
    assert list(parts) == []
    assert parts.contents().shape == (0,)
    assert parts.contents().dtype == "S32"
