"""Uris in, batches of pixels out: threads read and decode ahead of the model; each bad photo is a reject."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.metrics import Metrics

from foundation.archives import folders
from foundation.photos import photo
from foundation.photos.photo import PhotoError
from foundation.store.files import Store
from pipelines.encode.inventory import read_chunk
from pipelines.runners.progress import ProgressWriter

REJECTS = "rejects"


@dataclass(frozen=True)
class Reject:
    """One file that could not be used, and why."""

    photo_id: str
    uri: str
    reason: str
    detail: str


@dataclass(frozen=True)
class PhotoRow:
    """One decoded photo: the columns of its shard row, and its pixels uint8 [size, size, channels]."""

    columns: dict[str, Any]
    pixels: np.ndarray
    size_bytes: int


def decode_row(row: dict[str, Any], *, size: int, channels: int) -> PhotoRow | Reject:
    """Reads and decodes one row of the inventory."""
    try:
        data = folders.read(row["uri"])
        decoded = photo.decode(data, size=size, channels=channels)
    except (PhotoError, folders.UnreadableFileError) as error:
        return Reject(row["photo_id"], row["uri"], error.reason, str(error))
    known = decoded.metadata
    columns = {
        "photo_id": row["photo_id"],
        "uri": row["uri"],
        "content_sha256": decoded.content_sha256,
        "width": decoded.width,
        "height": decoded.height,
        "published_at": row["published_at"],
        "captured_at": known.captured_at,
        # The catalog is what an editor decided; what the file says of itself fills the gaps.
        "caption": row["caption"] or known.caption,
        "credit": row["credit"] or known.credit,
        "source": row["source"],
        "occurrences": [{key: row[key] for key in ("photo_id", "uri", "published_at")}],
    }
    return PhotoRow(columns, decoded.pixels, len(data))


def decode_batches(
    rows: Iterable[dict[str, Any]],
    *,
    decode: Callable[[dict[str, Any]], PhotoRow | Reject],
    batch_size: int,
    pool: ThreadPoolExecutor,
) -> Iterator[list[PhotoRow | Reject]]:
    """Yields results in order, in batches that hold `batch_size` decoded photos (the last one may hold fewer).

    Two batches are in the hands of the pool at any time: while the caller runs the model on one, the next is decoded.
    """
    waiting = iter(rows)
    window: deque[Future] = deque()
    batch: list[PhotoRow | Reject] = []
    decoded = 0
    while True:
        while len(window) < 2 * batch_size and (row := next(waiting, None)) is not None:
            window.append(pool.submit(decode, row))
        if not window:
            break
        result = window.popleft().result()
        batch.append(result)
        decoded += isinstance(result, PhotoRow)
        if decoded == batch_size:
            yield batch
            batch, decoded = [], 0
    if batch:
        yield batch


class DecodeChunk(beam.DoFn):
    """One row group of the inventory → batches of PhotoRow, and rejects."""

    def __init__(
        self, store: Store, inventory: str, *, size: int, channels: int, batch_size: int, progress: str | None
    ):
        self._store = store
        self._inventory = inventory
        self._shape = {"size": size, "channels": channels}
        self._batch_size = batch_size
        self._progress_directory = progress
        self._bytes_read = Metrics.counter("firstseen", "bytes_read")
        self._decoded = Metrics.counter("firstseen", "photos_decoded")
        self._rejected = Metrics.counter("firstseen", "photos_rejected")

    def setup(self) -> None:
        """Starts the decoder threads: the decoders release the GIL."""
        self._pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="decode")
        self._progress = ProgressWriter(self._progress_directory)

    def process(self, chunk: int) -> Iterator[Any]:
        """Yields batches (lists of PhotoRow) and, tagged, rejects."""
        rows = read_chunk(self._store, self._inventory, chunk)
        batches = decode_batches(rows, decode=self._decode, batch_size=self._batch_size, pool=self._pool)
        for batch in batches:
            photos = [result for result in batch if isinstance(result, PhotoRow)]
            rejects = [result for result in batch if isinstance(result, Reject)]
            self._count(photos, rejects)
            for reject in rejects:
                yield beam.pvalue.TaggedOutput(REJECTS, reject)
            if photos:
                yield photos

    def teardown(self) -> None:
        """Stops the threads without waiting for photos nobody will use."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._progress.close()

    def _decode(self, row: dict[str, Any]) -> PhotoRow | Reject:
        return decode_row(row, **self._shape)

    def _count(self, photos: list[PhotoRow], rejects: list[Reject]) -> None:
        self._bytes_read.inc(sum(photo.size_bytes for photo in photos))
        self._decoded.inc(len(photos))
        self._rejected.inc(len(rejects))
        self._progress.add(rejected=len(rejects))
