"""Makes the rows of a segment of those of its shards: one per content that is still somewhere, with its occurrences."""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from foundation.memory import release_freed
from foundation.store.occurrences import Occurrence, latest_occurrences
from foundation.store.run_tables import photo_fields
from pipelines.index.mapped import taken_to_disk
from pipelines.index.photo_parts import ROW
from pipelines.index.read_shards import ShardRows

# Looking up one match, or what is said of another content, reads one row group: a few milliseconds at this size.
PHOTO_ROW_GROUP_ROWS = 4_096

Occurrences = dict[bytes, list[Occurrence]]


class SegmentRows(NamedTuple):
    """The rows of a segment, one per content, sorted by its hash, and what it says of other contents.

    `vectors` are float32 [rows, dimension], mapped from disk, `hashes` S32 [rows], ascending. `rows` int64 [rows of the
    shards] are those of the segment that each row of the shards became, or was merged into; -1 for none. `photos`
    counts the occurrences of its contents, and `removed` are those of its contents that a photo went from. `mentioned`
    are the occurrences of contents that it does not hold, removed ones too.
    """

    vectors: np.ndarray
    hashes: np.ndarray
    rows: np.ndarray
    photos: int
    removed: list[bytes]
    mentioned: Occurrences


def removed_from(said: Mapping[bytes, Sequence[Occurrence]]) -> list[bytes]:
    """Returns the contents that a photo went from."""
    return [content for content, occurrences in said.items() if any(one.is_removed for one in occurrences)]


def count_photos(said: Mapping[bytes, Sequence[Occurrence]]) -> int:
    """Returns how many photos have some contents."""
    return sum(not one.is_removed for occurrences in said.values() for one in occurrences)


def collapse(
    read: ShardRows,
    path: Path,
    *,
    changes: Mapping[bytes, Sequence[Occurrence]],
    left_out: np.ndarray,
    shards_say: bool = True,
) -> SegmentRows:
    """Returns one row per content that has an occurrence left; of equal contents the first row gives the vector.

    Their photo columns are written to a new file. `changes` are the occurrences that later runs say more of; left_out:
    bool [rows of the shards] are those whose contents other segments hold, or nobody may. Unless `shards_say` it, the
    changes alone say where contents occur.
    """
    # Sorted by hash, a content is found by binary search in a memory-mapped file: the same bytes are found whatever the
    # encoder and the recall of the index. Copies must be collapsed, or they would fill a whole answer.
    rows = np.full(len(left_out), -1, np.int64)
    hashes: list[bytes] = []
    kept: list[int] = []
    removed: list[bytes] = []
    mentioned: Occurrences = {}
    photos = 0
    with parquet.ParquetWriter(path, pa.schema(photo_fields()), compression="zstd") as writer:
        # A part has the rows of some thousand contents: as objects of Python, all of them would take ten times as much
        # memory as their vectors.
        for part in read.photos:
            numbers = part[ROW].to_numpy()
            groups = _by_content(part)
            said = _occurrences(part, groups, changes, shards_say=shards_say)
            held = sorted(
                content
                for content, places in groups.items()
                if not left_out[numbers[places]].all() and _is_somewhere(said[content])
            )
            for content in held:
                rows[numbers[groups[content]]] = len(hashes)
                hashes.append(content)
                kept.append(int(numbers[groups[content][0]]))
            first = part.drop_columns(ROW).take(pa.array([groups[content][0] for content in held], pa.int64()))
            writer.write_table(_photos(first, [said[content] for content in held]), PHOTO_ROW_GROUP_ROWS)
            own = {content: said.pop(content) for content in held}
            photos += count_photos(own)
            removed += removed_from(own)
            mentioned |= {content: ones for content, ones in said.items() if ones}
    release_freed()
    taken = taken_to_disk(read.vectors, np.array(kept, np.int64))
    return SegmentRows(taken, np.array(hashes, "S32"), rows, photos, removed, mentioned)


def _by_content(photos: pa.Table) -> dict[bytes, list[int]]:
    """Returns the places of the rows of each content, ascending."""
    groups: dict[bytes, list[int]] = {}
    for place, content in enumerate(photos["content_sha256"].to_pylist()):
        groups.setdefault(content, []).append(place)
    return groups


def _occurrences(
    photos: pa.Table,
    groups: Mapping[bytes, Sequence[int]],
    changes: Mapping[bytes, Sequence[Occurrence]],
    *,
    shards_say: bool,
) -> Occurrences:
    """Returns what the shards and the changes together say of each content."""
    rows = photos["occurrences"].to_pylist() if shards_say else [[]] * len(photos)
    said = [[Occurrence.from_struct(one) for one in row] for row in rows]
    return {
        content: latest_occurrences(chain(*(said[place] for place in places), changes.get(content, ())))
        for content, places in groups.items()
    }


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
