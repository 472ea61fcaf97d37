"""Reads the shards of a segment and collapses exact duplicates: rows sorted by content hash, occurrences merged."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError
from foundation.store.artifact import digest_of
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence, merge_occurrences, publication_order
from foundation.store.runs import check_shard, photo_fields
from pipelines.index.plan import ShardReference


def read_shards(
    store: Store, shards: Sequence[ShardReference], *, dimension: int, encoder_digest: str
) -> tuple[pa.Table, np.ndarray]:
    """Returns (photo columns, float32 [rows, dimension]); each shard is read once, its digest checked on the way.

    Raises ArtifactRefusedError naming the shard that is damaged, another encoder's, or holds vectors that are not
    finite: one of those would kill the process in a tree build.
    """
    # One matrix is filled shard by shard: joining the shards at the end would hold all vectors twice.
    vectors = np.empty((sum(shard.rows for shard in shards), dimension), np.float32)
    tables, start = [], 0
    for shard in shards:
        table = _read_shard(store, shard, encoder_digest)
        values = _to_matrix(table["embedding"], dimension, shard.path)
        vectors[start : start + len(values)] = values
        start += len(values)
        # A shard may have columns that this program does not know: another version wrote it, or an earlier one.
        tables.append(table.select([field.name for field in photo_fields()]).replace_schema_metadata(None))
    return pa.concat_tables(tables), vectors


def _read_shard(store: Store, shard: ShardReference, encoder_digest: str) -> pa.Table:
    # The bytes that are hashed are those that are parsed: the file is not opened a second time in between.
    data = store.read(shard.path)
    if digest_of(data) != shard.record.sha256:
        raise ArtifactRefusedError(f"shard {shard.path} is damaged: its SHA-256 differs from run.json; encode again")
    table = parquet.read_table(pa.BufferReader(data))
    check_shard(shard.path, table.schema, encoder_digest=encoder_digest)
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


def collapse(table: pa.Table, vectors: np.ndarray) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """Returns (photos, vectors, hashes) with one row per content, sorted by its hash.

    vectors: float32 [rows, dimension]; hashes: S32 [rows], ascending. Of several rows with one content the first
    published stays and carries the occurrences of all.
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
    return photos, vectors[kept], hashes[first]
