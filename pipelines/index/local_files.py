"""Writes the local features of a segment's photos shard by shard, into files that are never in memory as a whole."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foundation.photos.compressed_features import COMPRESSED
from foundation.photos.local_features_bytes import KEYPOINT_BYTES, PACKED, require_in_frame
from foundation.store.files import Store
from foundation.store.segments import (
    LOCAL,
    LOCAL_DESCRIPTORS,
    LOCAL_FRAMES,
    LOCAL_KEYPOINTS,
    LOCAL_STARTS,
    LOCAL_THUMBNAIL_STARTS,
    LOCAL_THUMBNAILS,
)
from pipelines.index.mapped import release, reserve
from pipelines.index.plan import ShardReference
from pipelines.index.read_shards import LocalSizes, read_shard


class LocalFiles(NamedTuple):
    """What was written: the rows that have local features, and all descriptors, int8 [features, 64], on disk."""

    rows: int
    descriptors: np.ndarray


class LocalArrays(NamedTuple):
    """The files of a segment's local features, mapped for writing; the features of a row follow those of the last.

    `starts` and `thumbnail_starts` are int64 [rows + 1]. `keypoints` is uint16 [features, 4], `descriptors` int8
    [features, 64], `thumbnails` uint8 [bytes].
    """

    starts: np.ndarray
    thumbnail_starts: np.ndarray
    keypoints: np.ndarray
    descriptors: np.ndarray
    thumbnails: np.ndarray

    def release(self) -> None:
        """Lets go of what was written, which would count as memory: 20 KB a row."""
        for array in (self.keypoints, self.descriptors, self.thumbnails):
            release(array)


def write_local_files(
    folder: Path,
    store: Store,
    shards: Sequence[ShardReference],
    *,
    sizes: LocalSizes,
    rows: np.ndarray,
    encoder_digest: str,
) -> LocalFiles:
    """Writes the files of `foundation.store.segments.LOCAL_FILES` but the trees, in the order of the segment's rows.

    sizes: what each row of the shards holds; rows: int64, the row of the segment that each became, or -1. Memory is
    that of one shard, some 0.3 GB: what was written of the files, which are mapped, does not stay there.
    Raises ArtifactRefusedError for a shard that is damaged or holds anything but whole features in their frames.
    """
    chosen = _choose(sizes, rows)
    sources = np.flatnonzero(chosen >= 0)
    counts, thumbnail_bytes = np.zeros((2, int(rows.max()) + 1), np.int64)
    frames = np.zeros((len(counts), 2), np.uint16)
    counts[chosen[sources]], thumbnail_bytes[chosen[sources]] = sizes.features[sources], sizes.thumbnail_bytes[sources]
    frames[chosen[sources]] = sizes.frames[sources]
    files = create_local_files(folder, LocalSizes(counts, thumbnail_bytes, frames))
    first = 0
    for shard in shards:
        if shard.features == "local":
            names = ["frame_width", "frame_height", "keypoints", "descriptors", "thumbnail"]
            table = read_shard(store, shard, encoder_digest=encoder_digest, columns=names)
            _require_sound(table, f"shard {shard.path}")
            targets = chosen[first : first + shard.rows]
            _scatter(table["keypoints"], files.keypoints, files.starts * KEYPOINT_BYTES, targets)
            _scatter(table["descriptors"], files.descriptors, files.starts * COMPRESSED, targets)
            _scatter(table["thumbnail"], files.thumbnails, files.thumbnail_starts, targets)
            files.release()
        first += shard.rows
    return LocalFiles(len(sources), files.descriptors)


def create_local_files(folder: Path, sizes: LocalSizes) -> LocalArrays:
    """Creates the files of `foundation.store.segments.LOCAL_FILES` for rows of these sizes, to be filled."""
    starts, thumbnail_starts = (
        np.concatenate([[0], np.cumsum(one)]) for one in (sizes.features, sizes.thumbnail_bytes)
    )
    (folder / LOCAL).mkdir()
    np.save(folder / LOCAL_STARTS, starts)
    np.save(folder / LOCAL_FRAMES, sizes.frames)
    np.save(folder / LOCAL_THUMBNAIL_STARTS, thumbnail_starts)
    return LocalArrays(
        starts,
        thumbnail_starts,
        keypoints=_create(folder / LOCAL_KEYPOINTS, PACKED, (int(starts[-1]), 4)),
        descriptors=_create(folder / LOCAL_DESCRIPTORS, np.dtype(np.int8), (int(starts[-1]), COMPRESSED)),
        thumbnails=_create_raw(folder / LOCAL_THUMBNAILS, int(thumbnail_starts[-1])),
    )


def _choose(sizes: LocalSizes, rows: np.ndarray) -> np.ndarray:
    """Returns int64 [rows of the shards]: the row of the segment that each of them gives its features to, or -1."""
    # Of several rows with one content any may have features: an archive that was encoded without them first, and with
    # them later. One content has the same features everywhere, so that the first row with any stands for all.
    with_features = np.flatnonzero((sizes.frames[:, 0] > 0) & (rows >= 0))
    _, first = np.unique(rows[with_features], return_index=True)
    chosen = np.full(len(rows), -1)
    chosen[with_features[first]] = rows[with_features[first]]
    return chosen


def _require_sound(table: pa.Table, what: str) -> None:
    """Raises ArtifactRefusedError unless every keypoint lies in its photo's frame."""
    counts = pc.binary_length(table["keypoints"]).to_numpy() // KEYPOINT_BYTES
    packed = np.frombuffer(b"".join(table["keypoints"].to_pylist()), PACKED).reshape(-1, 4)
    frames = np.stack([table["frame_width"].to_numpy(), table["frame_height"].to_numpy()], axis=1)
    require_in_frame(what, packed, np.repeat(frames, counts, axis=0))


def _create(path: Path, dtype: np.dtype, shape: tuple[int, int]) -> np.ndarray:
    """Creates an array on disk, mapped for writing; one without elements cannot be mapped."""
    if not shape[0]:
        np.save(path, np.empty(shape, dtype))
        return np.empty(shape, dtype)
    array = np.lib.format.open_memmap(path, "w+", dtype, shape)
    with path.open("r+b") as file:
        reserve(file, path.stat().st_size)
    return array


def _create_raw(path: Path, size: int) -> np.ndarray:
    """Creates a file of so many bytes, mapped for writing."""
    if not size:
        path.touch()
        return np.empty(0, np.uint8)
    with path.open("w+b") as file:
        reserve(file, size)
        return np.memmap(file, np.uint8, "r+", shape=(size,))


def _scatter(column: pa.ChunkedArray, target: np.ndarray, starts: np.ndarray, rows: np.ndarray) -> None:
    """Copies the bytes of each value to the place of its row; those of row -1 are left out."""
    flat = target.reshape(-1).view(np.uint8)
    for value, row in zip(column, rows.tolist(), strict=True):
        if row >= 0 and starts[row + 1] > starts[row]:
            flat[starts[row] : starts[row + 1]] = np.frombuffer(value.as_buffer(), np.uint8)
