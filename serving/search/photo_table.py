"""Reads the tables of a segment: one row for an answer, or who holds the contents of very many rows."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

# A row group holds 4,096 photos, about a megabyte: the cache stays under 64 MB per table.
CACHED_ROW_GROUPS = 64
# Row groups that are read at a time where many are: some 260,000 rows.
READ_ROW_GROUPS = 64
# What tells whether a photo still has a content; tables of older versions lack all but the uri and the photo_id.
WHO = {
    "archive": pa.string(),
    "photo_id": pa.string(),
    "uri": pa.string(),
    "generation": pa.int64(),
    "is_removed": pa.bool_(),
}
_ABSENT = {"archive": "", "photo_id": "", "uri": "", "generation": 0, "is_removed": False}


class PhotoTable:
    """A Parquet table of a segment, one row per content, with its column `occurrences`; threads may share it."""

    def __init__(self, path: Path):
        self._file = parquet.ParquetFile(path)
        groups = range(self._file.num_row_groups)
        sizes = [self._file.metadata.row_group(group).num_rows for group in groups]
        self._group_ends = np.cumsum(sizes, dtype=np.int64)
        self.rows = sum(sizes)
        # A cache of this object alone: one on the method would keep closed segments alive.
        self._read_group = lru_cache(CACHED_ROW_GROUPS)(self._file.read_row_group)
        # Queries are answered in threads, and pyarrow's reader is not made for several at a time.
        self._reading = Lock()

    def row(self, row: int) -> dict[str, Any]:
        """Returns the columns of one row; reads one row group, or none if it was read lately."""
        group = int(np.searchsorted(self._group_ends, row, side="right"))
        start = int(self._group_ends[group - 1]) if group else 0
        with self._reading:
            photos = self._read_group(group)
        return photos.slice(row - start, 1).to_pylist()[0]

    def between(self, start: int, end: int) -> pa.Table:
        """Returns the rows from `start` to before `end`; reads the row groups that they lie in."""
        first, last = np.searchsorted(self._group_ends, (start, max(start, end - 1)), side="right").tolist()
        groups = list(range(first, min(last + 1, len(self._group_ends))))
        with self._reading:
            table = self._file.read_row_groups(groups)
        return table.slice(start - (int(self._group_ends[first - 1]) if first else 0), end - start)

    def who(self, rows: np.ndarray) -> Iterator[pa.Table]:
        """Yields the occurrences of some rows, int64 ascending, in tables of the columns WHO and `number`.

        `number` is the place in `rows`. Captions and dates are not read; memory is that of READ_ROW_GROUPS.
        """
        groups = np.searchsorted(self._group_ends, rows, side="right")
        touched = np.unique(groups)
        for first in range(0, len(touched), READ_ROW_GROUPS):
            some = touched[first : first + READ_ROW_GROUPS]
            start, end = np.searchsorted(groups, [some[0], some[-1] + 1])
            with self._reading:
                table = self._file.read_row_groups(some.tolist(), columns=self._columns())
            yield _flat(table["occurrences"].take(pa.array(self._places(rows[start:end], some))), start)

    def _places(self, rows: np.ndarray, groups: np.ndarray) -> np.ndarray:
        """Returns where rows lie in what these row groups hold together."""
        starts = np.r_[0, self._group_ends][groups]
        before = np.r_[0, np.cumsum(self._group_ends[groups] - starts)]
        which = np.searchsorted(starts, rows, side="right") - 1
        return before[which] + rows - starts[which]

    def _columns(self) -> list[str]:
        schema = self._file.schema
        paths = [schema.column(number).path for number in range(len(schema))]
        return [path for path in paths if path.startswith("occurrences.") and path.rsplit(".", 1)[-1] in WHO]


def _flat(lists: pa.ChunkedArray, first: int) -> pa.Table:
    """Returns one row per occurrence; `first` is the number of the first list."""
    # Few lookups look at who has a content now, and this takes as long to load as such a lookup.
    import pyarrow.compute as pc

    whole = lists.combine_chunks()
    structs = whole.flatten()
    numbers = np.repeat(np.arange(first, first + len(whole)), whole.value_lengths().to_numpy())
    columns = {"number": pa.array(numbers, pa.int64())}
    for name, kind in WHO.items():
        held = structs.field(name) if structs.type.get_field_index(name) >= 0 else pa.nulls(len(structs), kind)
        columns[name] = pc.fill_null(held, pa.scalar(_ABSENT[name], kind))
    return pa.table(columns)
