"""Reads the shards of a segment: photo columns, vectors, and how much of local features each row holds."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError
from foundation.photos.local_features_bytes import count_features
from foundation.store.artifact import digest_of
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence
from foundation.store.run_tables import check_shard, local_fields, photo_fields
from pipelines.index.mapped import empty_on_disk, release
from pipelines.index.photo_parts import PART_ROWS, PhotoParts
from pipelines.index.plan import ShardReference

# What a catalog says of a photo in words; runs of older versions have no generation, and index numbers them up to 0.
WORDS = ("caption", "credit", "source")
FIRST_GENERATION = 1


class LocalSizes(NamedTuple):
    """How much each row of some shards holds of local features; a row that none were kept of has a frame of 0 x 0.

    `features` and `thumbnail_bytes` are int64 [rows], `frames` uint16 [rows, 2]: width and height.
    """

    features: np.ndarray
    thumbnail_bytes: np.ndarray
    frames: np.ndarray


class ShardRows(NamedTuple):
    """The rows of some shards: photo columns, and in their order vectors float32 [rows, dimension], and LocalSizes.

    Photos and vectors are on disk.
    """

    photos: PhotoParts
    vectors: np.ndarray
    local: LocalSizes


def read_shards(
    store: Store, shards: Sequence[ShardReference], folder: Path, *, dimension: int, encoder_digest: str
) -> ShardRows:
    """Returns the rows of the shards without their local features; each digest is checked on the way.

    The photos are written into an empty folder.

    Raises ArtifactRefusedError naming the shard that is damaged, another encoder's, or holds vectors that are not
    finite: one of those would kill the process in a tree build.
    """
    rows = sum(shard.rows for shard in shards)
    photos, vectors = PhotoParts(folder, rows, pa.schema(photo_fields())), empty_on_disk((rows, dimension), np.float32)
    nothing = np.zeros(0, np.int64)
    sizes, start = [LocalSizes(nothing, nothing, np.zeros((0, 2), np.uint16))], 0
    for shard in shards:
        local = local_fields() if shard.features == "local" else []
        columns = [field.name for field in [*photo_fields(), *local]]
        table = read_shard(store, shard, encoder_digest=encoder_digest, columns=[*columns, "embedding"])
        values = _to_matrix(table["embedding"], dimension, shard.path)
        vectors[start : start + len(values)] = values
        release(vectors)
        start += len(values)
        sizes.append(_measure_local(table, shard))
        # A shard may have columns that this program does not know: another version wrote it, or an earlier one.
        for first in range(0, table.num_rows, PART_ROWS):
            photos.append(_photo_columns(table.slice(first, PART_ROWS), shard))
    return ShardRows(photos, vectors, LocalSizes(*map(np.concatenate, zip(*sizes, strict=True))))


def _photo_columns(table: pa.Table, shard: ShardReference) -> pa.Table:
    """Returns the columns of a segment's photos, in today's types; occurrences name the archive and the generation."""
    known: dict[str, Any] = {"archive": shard.archive, "generation": shard.generation}
    structs = [
        [replace(one, **known).to_struct() for one in _occurrences(row, is_old=shard.generation < FIRST_GENERATION)]
        for row in table.select(["uri", *WORDS, "occurrences"]).to_pylist()
    ]
    schema = pa.schema(photo_fields())
    column = schema.get_field_index("occurrences")
    others = table.select([name for name in schema.names if name != "occurrences"]).replace_schema_metadata(None)
    return others.add_column(column, schema.field(column), pa.array(structs, schema.field(column).type)).cast(schema)


def _occurrences(row: dict[str, Any], *, is_old: bool) -> list[Occurrence]:
    """Returns the occurrences of a row; in old shards a catalog's words stand in the row, and are its own photo's."""
    found = list(map(Occurrence.from_struct, row["occurrences"]))
    words = {name: row[name] for name in WORDS}
    return [replace(one, **words) if is_old and one.uri == row["uri"] else one for one in found]


def _measure_local(table: pa.Table, shard: ShardReference) -> LocalSizes:
    if shard.features == "none":
        nothing = np.zeros(table.num_rows, np.int64)
        return LocalSizes(nothing, nothing, np.zeros((table.num_rows, 2), np.uint16))
    lengths = {
        name: pc.binary_length(table[name]).to_numpy().astype(np.int64)
        for name in ("keypoints", "descriptors", "thumbnail")
    }
    return LocalSizes(
        count_features(f"shard {shard.path}", lengths["keypoints"], lengths["descriptors"]),
        lengths["thumbnail"],
        np.stack([table["frame_width"].to_numpy(), table["frame_height"].to_numpy()], axis=1),
    )


def read_shard(store: Store, shard: ShardReference, *, encoder_digest: str, columns: Sequence[str]) -> pa.Table:
    """Returns some columns of one shard; raises ArtifactRefusedError unless it is the one that run.json lists."""
    # The bytes that are hashed are those that are parsed: the file is not opened a second time in between.
    data = store.read(shard.path)
    if digest_of(data) != shard.record.sha256:
        raise ArtifactRefusedError(f"shard {shard.path} is damaged: its SHA-256 differs from run.json; encode again")
    file = parquet.ParquetFile(pa.BufferReader(data))
    check_shard(shard.path, file.schema_arrow, encoder_digest=encoder_digest)
    if missing := set(columns) - set(file.schema_arrow.names):
        raise ArtifactRefusedError(f"shard {shard.path} lacks the columns {sorted(missing)}; encode again")
    table = file.read(list(columns))
    if table.num_rows != shard.rows:
        raise ArtifactRefusedError(f"shard {shard.path} has {table.num_rows} rows; run.json lists {shard.rows}")
    return table


def _to_matrix(column: pa.ChunkedArray, dimension: int, path: str) -> np.ndarray:
    if column.type.list_size != dimension:
        raise ArtifactRefusedError(
            f"shard {path} holds vectors of {column.type.list_size} numbers; the encoder gives {dimension}"
        )
    matrix = np.concatenate([chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks])
    matrix = matrix.reshape(-1, dimension)
    if not np.isfinite(matrix).all():
        raise ArtifactRefusedError(f"shard {path} holds a vector that is not finite; encode again")
    return matrix
