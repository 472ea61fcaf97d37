"""Reads the shards of a segment and collapses exact duplicates: rows sorted by content hash, occurrences merged."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError
from foundation.photos.local_features_bytes import count_features
from foundation.store.artifact import digest_of
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence, merge_occurrences, publication_order
from foundation.store.runs import check_shard, local_fields, photo_fields
from pipelines.index.plan import ShardReference


class LocalSizes(NamedTuple):
    """How much each row of some shards holds of local features; a row that none were kept of has a frame of 0 x 0.

    `features` and `thumbnail_bytes` are int64 [rows], `frames` uint16 [rows, 2]: width and height.
    """

    features: np.ndarray
    thumbnail_bytes: np.ndarray
    frames: np.ndarray


class ShardRows(NamedTuple):
    """The rows of some shards, in their order: photo columns, vectors float32 [rows, dimension], and LocalSizes."""

    photos: pa.Table
    vectors: np.ndarray
    local: LocalSizes


class SegmentRows(NamedTuple):
    """The rows of a segment, one per content, sorted by its hash.

    `photos` are their columns, `vectors` float32 [rows, dimension], `hashes` S32 [rows], ascending. `rows` int64 [rows
    of the shards] are those of the segment that each row of the shards became, or was merged into.
    """

    photos: pa.Table
    vectors: np.ndarray
    hashes: np.ndarray
    rows: np.ndarray


def read_shards(store: Store, shards: Sequence[ShardReference], *, dimension: int, encoder_digest: str) -> ShardRows:
    """Returns the rows of the shards without their local features; each digest is checked on the way.

    Raises ArtifactRefusedError naming the shard that is damaged, another encoder's, or holds vectors that are not
    finite: one of those would kill the process in a tree build.
    """
    # One matrix is filled shard by shard: joining the shards at the end would hold all vectors twice.
    vectors = np.empty((sum(shard.rows for shard in shards), dimension), np.float32)
    tables, sizes, start = [], [], 0
    for shard in shards:
        local = local_fields() if shard.features == "local" else []
        columns = [field.name for field in [*photo_fields(), *local]]
        table = read_shard(store, shard, encoder_digest=encoder_digest, columns=[*columns, "embedding"])
        values = _to_matrix(table["embedding"], dimension, shard.path)
        vectors[start : start + len(values)] = values
        start += len(values)
        sizes.append(_measure_local(table, shard))
        # A shard may have columns that this program does not know: another version wrote it, or an earlier one.
        tables.append(table.select([field.name for field in photo_fields()]).replace_schema_metadata(None))
    return ShardRows(pa.concat_tables(tables), vectors, LocalSizes(*map(np.concatenate, zip(*sizes, strict=True))))


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


def collapse(table: pa.Table, vectors: np.ndarray) -> SegmentRows:
    """Returns one row per content; of several the first published stays, and carries the occurrences of all.

    vectors: float32 [rows, dimension].
    """
    # Sorted by hash, a content is found by binary search in a memory-mapped file: the same bytes are found whatever the
    # encoder and the recall of the index. Copies must be collapsed, or they would fill a whole answer.
    hashes = np.array(table["content_sha256"].to_pylist(), "S32")
    published = table["published_at"].to_pylist()
    names = table["photo_id"].to_pylist()
    order = sorted(range(len(hashes)), key=lambda row: (hashes[row], publication_order(published[row], names[row])))
    hashes = hashes[order]
    first = np.flatnonzero(np.r_[True, hashes[1:] != hashes[:-1]])
    occurrences = [list(map(Occurrence.from_struct, row)) for row in table["occurrences"].to_pylist()]
    groups = np.split(np.asarray(order), first[1:])
    merged = [merge_occurrences(one for row in group for one in occurrences[row]) for group in groups]
    structs = [[one.to_struct() for one in group] for group in merged]
    kept = np.asarray(order)[first]
    column = table.schema.get_field_index("occurrences")
    field = table.schema.field(column)
    photos = table.take(kept).set_column(column, field, pa.array(structs, field.type))
    rows = np.empty(len(order), np.int64)
    rows[order] = np.repeat(np.arange(len(first)), np.diff(np.r_[first, len(order)]))
    return SegmentRows(photos, vectors[kept], hashes[first], rows)
