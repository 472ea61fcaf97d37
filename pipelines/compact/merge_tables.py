"""Merges what several segments say of contents, block by block of hashes: the latest of each photo, in one place."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from foundation.store.content_hashes import find_hashes
from foundation.store.occurrences import Occurrence, latest_occurrences
from foundation.store.run_tables import photo_fields
from foundation.store.segments import PHOTOS, whole_hash
from pipelines.compact.merge_rows import Chosen
from pipelines.compact.sources import Source, held_anywhere
from pipelines.index.changes import write_changes
from pipelines.index.collapse import PHOTO_ROW_GROUP_ROWS
from serving.search.segment_tables import SegmentTables

# Contents that are merged at a time: some kilobytes each while their occurrences are Python's.
BLOCK_CONTENTS = 4 * PHOTO_ROW_GROUP_ROWS

# The name of a row whose own may not be told any more, and whose photos other segments name.
_NAMELESS = {"photo_id": "", "uri": "", "published_at": None, "source": None}
# What a row says by itself; whose photo it is, its occurrences say.
OWN_COLUMNS = [field.name for field in photo_fields() if field.name != "occurrences"]


@dataclass(frozen=True, kw_only=True)
class MergeInput:
    """What a merge is made of: its sources, in the order of the snapshot, and what it has to know beside them.

    `others` are the segments that stay, `dropped` the contents that nobody may find any more, S32 ascending. Where
    photos are `forgotten`, by archive and photo_id, nothing more is said of them, nor of what is dropped.
    """

    sources: Sequence[Source]
    others: Sequence[SegmentTables]
    dropped: np.ndarray
    forgotten: frozenset[tuple[str, str]] = frozenset()


@dataclass
class _Said:
    """What was said of contents: how many photos have them; those that are not held; those that a photo went from."""

    photos: int = 0
    mentioned: dict[bytes, list[Occurrence]] = field(default_factory=dict)
    removed: list[bytes] = field(default_factory=list)


def merge_tables(folder: Path, merged: MergeInput, chosen: Chosen, said: np.ndarray) -> tuple[int, int]:
    """Writes the tables of the chosen contents, and what is said of the others; returns (photos, contents mentioned).

    `said` are the contents that count, S32 ascending, the chosen ones among them. Memory is that of a block, and 1 KB
    for each content that is mentioned and not held.
    """
    found = _Said()
    with parquet.ParquetWriter(folder / PHOTOS, pa.schema(photo_fields()), compression="zstd") as writer:
        for start in range(0, len(said), BLOCK_CONTENTS):
            block = said[start : start + BLOCK_CONTENTS]
            table = _merge_block(merged, block, chosen.between(*span_of(chosen.contents, block)), found)
            writer.write_table(table, row_group_size=PHOTO_ROW_GROUP_ROWS)
    return found.photos, write_changes(folder, found.mentioned, found.removed)


def span_of(hashes: np.ndarray, block: np.ndarray) -> tuple[int, int]:
    """Returns where the hashes lie, S32 ascending, from the first to the last of a block: start and end."""
    return int(np.searchsorted(hashes, block[:1])[0]), int(np.searchsorted(hashes, block[-1:], side="right")[0])


def _merge_block(merged: MergeInput, block: np.ndarray, held: Chosen, found: _Said) -> pa.Table:
    """Returns the rows of the held contents of a block, and notes what is said of all of them."""
    occurrences, photos = _read_block(merged.sources, block, held)
    is_held = find_hashes(held.contents, block) >= 0
    is_elsewhere = known_anywhere(merged.others, block)
    is_dropped = find_hashes(merged.dropped, block) >= 0
    rows = []
    for (content, of_sources), holds, elsewhere, dropped in zip(
        occurrences.items(), is_held, is_elsewhere, is_dropped, strict=True
    ):
        latest = [one for one in latest_occurrences(of_sources) if (one.archive, one.photo_id) not in merged.forgotten]
        if dropped and (merged.forgotten or not elsewhere):
            left = []
        else:
            left = latest if elsewhere else _enough(latest, is_held=holds)
        found.photos += sum(not one.is_removed for one in left)
        # What is held and nobody is said to have any more would be found: it is hidden as if its photos had gone.
        if any(one.is_removed for one in left) or (merged.forgotten and holds and not left):
            found.removed.append(content)
        if holds:
            rows.append(left)
        elif left:
            found.mentioned[content] = left
    return _with_occurrences(photos, rows, forgotten={name for _, name in merged.forgotten})


def _enough(latest: Sequence[Occurrence], *, is_held: bool) -> list[Occurrence]:
    """Returns what has to be said of a content that no other segment knows: who has it.

    If nobody has it, and it is held all the same, that its photos went: so it is known to be hidden.
    """
    return [one for one in latest if not one.is_removed] or (list(latest) if is_held else [])


def known_anywhere(segments: Sequence[SegmentTables], contents: np.ndarray) -> np.ndarray:
    """Returns bool [contents]: which contents, S32, any of the segments holds or mentions."""
    found = held_anywhere(segments, contents, with_features=False)
    for one in segments:
        if one.changes:
            found |= find_hashes(one.changes.hashes, contents) >= 0
    return found


def _read_block(
    sources: Sequence[Source], block: np.ndarray, held: Chosen
) -> tuple[dict[bytes, list[Occurrence]], pa.Table]:
    """Returns what the sources say of each content of a block, in their order, and the rows of those held of them."""
    occurrences: dict[bytes, list[Occurrence]] = {whole_hash(content): [] for content in block.tolist()}
    parts, places = [pa.schema(photo_fields()).empty_table().select(OWN_COLUMNS)], [np.empty(0, np.int64)]
    for number, one in enumerate(sources):
        for hashes, table in one.tables.tables:
            start, end = span_of(hashes, block)
            part = table.between(start, end)
            for content, structs in zip(
                part["content_sha256"].to_pylist(), part["occurrences"].to_pylist(), strict=True
            ):
                occurrences[content] += map(Occurrence.from_struct, structs)
            if hashes is one.tables.hashes:
                mine, rows = held.of(number)
                parts.append(part.select(OWN_COLUMNS).take(pa.array(rows - start)).cast(parts[0].schema))
                places.append(mine)
    return occurrences, pa.concat_tables(parts).take(pa.array(np.argsort(np.concatenate(places))))


def _with_occurrences(
    photos: pa.Table, occurrences: Sequence[Sequence[Occurrence]], *, forgotten: Container[str]
) -> pa.Table:
    """Returns the photo columns with these occurrences; the first published that is left gives a row its name."""
    # Other segments may be those that say who has a content: its row then keeps the name that it had, if it may.
    own = [
        row if row["photo_id"] not in forgotten else dict(_NAMELESS)
        for row in photos.select(["photo_id", "uri", "published_at", "source"]).to_pylist()
    ]
    first: list[dict[str, Any]] = [
        next((one.to_struct() for one in row if not one.is_removed), names)
        for row, names in zip(occurrences, own, strict=True)
    ]
    columns = {name: [one[name] for one in first] for name in ("photo_id", "uri", "published_at", "source")}
    columns["occurrences"] = [[one.to_struct() for one in row] for row in occurrences]
    return pa.table(
        [
            pa.array(columns[field.name], field.type) if field.name in columns else photos[field.name]
            for field in photo_fields()
        ],
        schema=pa.schema(photo_fields()),
    )
