"""Keeps the photo columns of a segment's shards on disk, parted by content hash, so that one part is read at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

# Rows of a part: with captions and occurrences, and what Python makes of them, some 30 MB.
PART_ROWS = 8_192
# Parts are files that are open while shards are read; systems allow a process 1,024 and more.
MOST_PARTS = 256
# The number of a row among those of all shards.
ROW = "row"


class PhotoParts:
    """Tables of photos in files of a folder: all rows of a content are in one part, and parts are in hash order."""

    def __init__(self, folder: Path, rows: int, schema: pa.Schema):
        self._count = min(MOST_PARTS, -(-rows // PART_ROWS))
        self._schema = schema.append(pa.field(ROW, pa.int64()))
        self._folder = folder
        self._writers: dict[int, pa.RecordBatchStreamWriter] = {}
        self._contents: list[np.ndarray] = []

    def append(self, photos: pa.Table) -> None:
        """Adds the photos of a shard, whose column `content_sha256` tells where each belongs."""
        contents = np.frombuffer(b"".join(photos["content_sha256"].to_pylist()), np.uint8).reshape(-1, 32)
        first = sum(map(len, self._contents))
        numbered = photos.append_column(ROW, pa.array(np.arange(first, first + len(contents))))
        # The first two bytes are as good as random, and sort as the whole hash does.
        part = (contents[:, 0].astype(np.int64) * 256 + contents[:, 1]) * self._count >> 16
        order = np.argsort(part, kind="stable")
        ordered = numbered.take(pa.array(order))
        present, starts = np.unique(part[order], return_index=True)
        for number, start, end in zip(present.tolist(), starts, [*starts[1:], len(order)], strict=True):
            self._writer(number).write_table(ordered.slice(start, end - start).combine_chunks())
        self._contents.append(contents.reshape(-1).view("S32"))

    def contents(self) -> np.ndarray:
        """Returns the content hashes of all rows, in the order they were added: S32 [rows]."""
        return np.concatenate(self._contents) if self._contents else np.empty(0, "S32")

    def __iter__(self) -> Iterator[pa.Table]:
        """Yields the parts in the order of their hashes, each with the numbers of its rows, ascending, as `row`."""
        for writer in self._writers.values():
            writer.close()
        for number in sorted(self._writers):
            with pa.OSFile(str(self._path(number))) as file, pa.ipc.open_stream(file) as reader:
                yield reader.read_all()

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:03d}"

    def _writer(self, number: int) -> pa.RecordBatchStreamWriter:
        if number not in self._writers:
            self._writers[number] = pa.ipc.new_stream(str(self._path(number)), self._schema)
        return self._writers[number]
