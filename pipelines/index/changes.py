"""Reads what runs say of contents that their shards do not hold, and writes what a segment says of such contents."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError
from foundation.store.artifact import digest_of
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence, occurrence_type
from foundation.store.segments import CHANGED_HASHES, CHANGES, REMOVED_HASHES
from pipelines.index.collapse import PHOTO_ROW_GROUP_ROWS
from pipelines.index.plan import ChangesReference


def read_changes(store: Store, references: Sequence[ChangesReference]) -> dict[bytes, list[Occurrence]]:
    """Returns the changes of some runs by content, those of earlier runs first; some 800 bytes each.

    Raises ArtifactRefusedError unless each file is the one that its run.json lists.
    """
    changes: dict[bytes, list[Occurrence]] = {}
    for one in references:
        data = store.read(one.path)
        if digest_of(data) != one.record.sha256:
            raise ArtifactRefusedError(f"{one.path} is damaged: its SHA-256 differs from run.json; encode again")
        for batch in parquet.ParquetFile(pa.BufferReader(data)).iter_batches():
            for row in batch.to_pylist():
                content = row.pop("content_sha256")
                occurrence = Occurrence(**row, archive=one.archive, generation=one.generation)
                changes.setdefault(content, []).append(occurrence)
    return changes


def write_changes(folder: Path, mentioned: Mapping[bytes, Sequence[Occurrence]], removed: Sequence[bytes]) -> int:
    """Writes the files that say more of contents; returns how many contents. Without any there are no files.

    `removed` are the contents, held or mentioned, that a photo went from.
    """
    contents = sorted(mentioned)
    if contents or removed:
        schema = pa.schema([("content_sha256", pa.binary(32)), ("occurrences", pa.list_(occurrence_type()))])
        rows = [[one.to_struct() for one in mentioned[content]] for content in contents]
        columns = [pa.array(values, field.type) for values, field in zip((contents, rows), schema, strict=True)]
        table = pa.Table.from_arrays(columns, schema=schema)
        parquet.write_table(table, folder / CHANGES, compression="zstd", row_group_size=PHOTO_ROW_GROUP_ROWS)
        np.save(folder / CHANGED_HASHES, np.array(contents, "S32"))
        np.save(folder / REMOVED_HASHES, np.array(sorted(removed), "S32"))
    return len(contents)
