"""Finds photos by their names: reads one column of the photo tables of a snapshot, in a bucket too, and no more."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from foundation.store.files import Store
from foundation.store.occurrences import Occurrence
from foundation.store.segments import CHANGES, PHOTOS, Segment, segment_directory

# Row groups that are read at a time: the names of some 260,000 rows.
READ_ROW_GROUPS = 64


class Named(NamedTuple):
    """One thing that a segment says of a photo: its content (32 bytes), and where and since when it occurs."""

    content: bytes
    occurrence: Occurrence


# Says of photo_ids which are asked for: bool, as many.
Chooses = Callable[[pa.Array], pa.Array]


def find_named(store: Store, segments: Sequence[Segment], chooses: Chooses) -> Iterator[Named]:
    """Yields what segments say of the photos that are chosen by their photo_id, in the order in which it counts.

    Costs a second per million photos. Files are not held against their digests, which would read all of them: whoever
    chooses by name looks at what was found.
    """
    for segment in segments:
        tables = ([PHOTOS] if segment.rows else []) + ([CHANGES] if segment.has_changes else [])
        for name in tables:
            path = f"{segment_directory(segment.segment_id)}/{name}"
            with store.open(path) as stream, parquet.ParquetFile(stream) as file:
                for groups in _blocks(file.num_row_groups):
                    yield from _named(file, groups, chooses)


def named_in(photo_ids: Sequence[str]) -> Chooses:
    """Returns what chooses the photos of these names."""
    wanted = pa.array(photo_ids, pa.string())
    return lambda names: pc.is_in(names, wanted)


def like(photo_id: str) -> Chooses:
    """Returns what chooses photos whose names resemble one: its last part, without the suffix, is in theirs."""
    stem = photo_id.rstrip("/").rsplit("/", 1)[-1].rsplit(".", 1)[0] or photo_id
    return lambda names: pc.match_substring(names, stem, ignore_case=True)


def _blocks(groups: int) -> Iterator[list[int]]:
    for first in range(0, groups, READ_ROW_GROUPS):
        yield list(range(first, min(first + READ_ROW_GROUPS, groups)))


def _named(file: parquet.ParquetFile, groups: list[int], chooses: Chooses) -> Iterator[Named]:
    lists = file.read_row_groups(groups, columns=[_name_column(file)])["occurrences"].combine_chunks()
    chosen = chooses(lists.flatten().field("photo_id")).to_numpy(zero_copy_only=False)
    rows = np.unique(np.repeat(np.arange(len(lists)), lists.value_lengths().to_numpy())[chosen])
    ends = np.cumsum([file.metadata.row_group(group).num_rows for group in groups])
    # Of the few row groups with what was asked for everything is read: dates and places are shown.
    for number in np.unique(np.searchsorted(ends, rows, side="right")).tolist():
        start, end = int(ends[number - 1]) if number else 0, int(ends[number])
        table = file.read_row_group(groups[number], columns=["content_sha256", "occurrences"])
        for row in table.take(rows[(rows >= start) & (rows < end)] - start).to_pylist():
            found = list(map(Occurrence.from_struct, row["occurrences"]))
            chosen_here = chooses(pa.array([one.photo_id for one in found], pa.string())).to_pylist()
            yield from (
                Named(row["content_sha256"], one) for one, is_it in zip(found, chosen_here, strict=True) if is_it
            )


def _name_column(file: parquet.ParquetFile) -> str:
    paths = [file.schema.column(number).path for number in range(len(file.schema))]
    (path,) = [path for path in paths if path.startswith("occurrences.") and path.endswith(".photo_id")]
    return path
