"""Knows a purged photo again, by its name in its archive and by its content: in tables, hashes, and what was found."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from foundation.store.content_hashes import find_hashes, hash_array
from foundation.store.watched import FoundPhoto

Photo = tuple[str, str]
BATCH_ROWS = 65_536
# What tells photos from each other; the vectors of a shard need not be read for it.
NAMING = ("photo_id", "content_sha256", "occurrences")


@dataclass(frozen=True)
class Purged:
    """What nothing may be left of: photos, by archive and photo_id, and contents, 32 bytes each.

    `thumbnails` are JPEGs of these contents, as far as any was found. `earlier` are those of the contents that the
    photos alone had before they were exchanged: the list of retractions does not name them. `uris` are where the
    photos lay, as far as any run says.
    """

    photos: frozenset[Photo]
    contents: frozenset[bytes]
    thumbnails: frozenset[bytes] = field(default_factory=frozenset)
    earlier: frozenset[bytes] = field(default_factory=frozenset)
    uris: frozenset[str] = field(default_factory=frozenset)

    def names_in(self, archive: str) -> set[str]:
        """Returns the photo_ids of one archive."""
        return {photo_id for one, photo_id in self.photos if one == archive}

    def was_found(self, found: FoundPhoto) -> bool:
        """Returns whether what was found of a watched query is purged, by its content or its place.

        Its name does not tell: a photo of another archive may have the same.
        """
        return (
            bytes.fromhex(found.content_sha256) in self.contents
            or found.uri in self.uris
            or any(
                found.photo_id == photo_id and found.uri.startswith(f"{archive.rstrip('/')}/")
                for archive, photo_id in self.photos
                if archive
            )
        )

    @cached_property
    def hashes(self) -> np.ndarray:
        """The contents: S32, ascending."""
        return np.unique(hash_array(self.contents))


def rows_with_trace(batch: pa.RecordBatch, purged: Purged, names: Iterable[str]) -> np.ndarray:
    """Returns bool [rows]: those that name a purged content, a photo of these names, or an occurrence of either.

    `names` are photo_ids that the table means photos of the right archive by; occurrences name their archive, if any.
    """
    found = np.zeros(batch.num_rows, bool)
    wanted = pa.array(sorted(names), pa.string())
    if "content_sha256" in batch.schema.names:
        contents = pa.array(sorted(purged.contents), batch.column("content_sha256").type)
        found |= _true(pc.is_in(batch.column("content_sha256"), contents))
    if "photo_id" in batch.schema.names:
        found |= _true(pc.is_in(batch.column("photo_id"), wanted))
    if "occurrences" in batch.schema.names:
        found |= _rows_with_occurrence(batch.column("occurrences"), purged, wanted)
    return found


def _rows_with_occurrence(lists: pa.ListArray, purged: Purged, names: pa.Array) -> np.ndarray:
    structs = lists.flatten()
    photo_ids = structs.field("photo_id")
    all_names = pa.array(sorted({photo_id for _, photo_id in purged.photos} | set(names.to_pylist())), pa.string())
    found = np.zeros(len(lists), bool)
    rows = np.repeat(np.arange(len(lists)), lists.value_lengths().fill_null(0).to_numpy())
    for place in np.flatnonzero(_true(pc.is_in(photo_ids, all_names))).tolist():
        if is_purged(structs[place].as_py(), purged, names=set(names.to_pylist())):
            found[rows[place]] = True
    return found


def is_purged(occurrence: dict[str, Any], purged: Purged, *, names: set[str]) -> bool:
    """Returns whether an occurrence, a struct as a dict, is that of a purged photo."""
    archive = occurrence.get("archive")
    return (archive, occurrence["photo_id"]) in purged.photos if archive else occurrence["photo_id"] in names


def table_has_trace(table: parquet.ParquetFile, purged: Purged, names: Iterable[str]) -> bool:
    """Returns whether a Parquet file names what was purged; reads the columns that name photos, batch by batch."""
    columns = [name for name in table.schema_arrow.names if name in NAMING]
    return bool(columns) and any(
        rows_with_trace(batch, purged, names).any() for batch in table.iter_batches(BATCH_ROWS, columns=columns)
    )


def hashes_have_trace(hashes: np.ndarray, purged: Purged) -> bool:
    """Returns whether a file of hashes, S32 in any order, names a purged content."""
    return bool((find_hashes(purged.hashes, hashes.reshape(-1)) >= 0).any()) if hashes.size else False


def _true(mask: pa.Array) -> np.ndarray:
    return mask.fill_null(False).to_numpy(zero_copy_only=False)
