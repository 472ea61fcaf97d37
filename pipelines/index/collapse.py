"""Makes the rows of a segment of those of its shards: one per content that is still somewhere, with its occurrences."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from foundation.store.occurrences import Occurrence, latest_occurrences
from pipelines.index.mapped import taken_to_disk
from pipelines.index.read_shards import ShardRows

Occurrences = dict[bytes, list[Occurrence]]


class SegmentRows(NamedTuple):
    """The rows of a segment, one per content, sorted by its hash, and what it says of other contents.

    `photos` are their columns, `vectors` float32 [rows, dimension], mapped from disk, `hashes` S32 [rows], ascending.
    `rows` int64 [rows of the shards] are those of the segment that each row of the shards became, or was merged into;
    -1 for none.
    `held` are the occurrences of its contents, `mentioned` those of contents that it does not hold, removed ones too.
    """

    photos: pa.Table
    vectors: np.ndarray
    hashes: np.ndarray
    rows: np.ndarray
    held: Occurrences
    mentioned: Occurrences


def removed_from(rows: SegmentRows, mentioned: Mapping[bytes, Sequence[Occurrence]]) -> list[bytes]:
    """Returns the contents, held or mentioned, that a photo went from."""
    said = chain(rows.held.items(), mentioned.items())
    return [content for content, occurrences in said if any(one.is_removed for one in occurrences)]


def count_photos(rows: SegmentRows, mentioned: Mapping[bytes, Sequence[Occurrence]]) -> int:
    """Returns how many occurrences a segment adds."""
    said = chain(rows.held.values(), mentioned.values())
    return sum(not one.is_removed for occurrences in said for one in occurrences)


def collapse(read: ShardRows, *, changes: Mapping[bytes, Sequence[Occurrence]], left_out: np.ndarray) -> SegmentRows:
    """Returns one row per content that has an occurrence left; of equal contents the first row gives the vector.

    `changes` are the occurrences that later runs say more of; left_out: bool [rows of the shards] are those whose
    contents other segments hold, or nobody may.
    """
    # Sorted by hash, a content is found by binary search in a memory-mapped file: the same bytes are found whatever the
    # encoder and the recall of the index. Copies must be collapsed, or they would fill a whole answer.
    contents = read.photos["content_sha256"].to_pylist()
    said = [[Occurrence.from_struct(one) for one in row] for row in read.photos["occurrences"].to_pylist()]
    groups: dict[bytes, list[int]] = {}
    for row, content in enumerate(contents):
        groups.setdefault(content, []).append(row)
    occurrences = {
        content: latest_occurrences(chain(*(said[row] for row in rows), changes.get(content, ())))
        for content, rows in groups.items()
    }
    held = sorted(
        content for content, rows in groups.items() if not left_out[rows[0]] and _is_somewhere(occurrences[content])
    )
    rows = np.full(len(contents), -1, np.int64)
    for place, content in enumerate(held):
        rows[groups[content]] = place
    kept = np.array([groups[content][0] for content in held], np.int64)
    return SegmentRows(
        photos=_photos(read.photos.take(pa.array(kept)), [occurrences[content] for content in held]),
        vectors=taken_to_disk(read.vectors, kept),
        hashes=np.array(held, "S32"),
        rows=rows,
        held={content: occurrences[content] for content in held},
        mentioned={content: ones for content, ones in occurrences.items() if rows[groups[content][0]] < 0},
    )


def _is_somewhere(occurrences: Sequence[Occurrence]) -> bool:
    return any(not one.is_removed for one in occurrences)


def _photos(table: pa.Table, occurrences: Sequence[Sequence[Occurrence]]) -> pa.Table:
    """Returns the photo columns with these occurrences; the first published that is left gives a row its name."""
    first = [next(one for one in row if not one.is_removed) for row in occurrences]
    columns = {
        "photo_id": [one.photo_id for one in first],
        "uri": [one.uri for one in first],
        "published_at": [one.published_at for one in first],
        "source": [one.source for one in first],
        "occurrences": [[one.to_struct() for one in row] for row in occurrences],
    }
    for name, values in columns.items():
        column = table.schema.get_field_index(name)
        field = table.schema.field(column)
        table = table.set_column(column, field, pa.array(values, field.type))
    return table
