"""Decodes the photos of a chunk in threads ahead of the model: uris in, batches of pixels and rejects out."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.metrics import Metrics

from foundation.archives.archive import read_photos
from foundation.archives.photos import EncodedPhoto
from foundation.photos import photo
from foundation.photos.decode_ahead import decode_ahead
from foundation.photos.photo import PhotoError
from foundation.store.files import Store
from pipelines.encode.inventory import read_chunk
from pipelines.runners.failures import naming
from pipelines.runners.progress import ProgressWriter

REJECTS = "rejects"


@dataclass(frozen=True)
class Reject:
    """One photo that could not be used, and why."""

    photo_id: str
    uri: str
    reason: str
    detail: str


@dataclass(frozen=True)
class DecodedPhoto:
    """One decoded photo: the columns of its shard row, and its pixels uint8 [size, size, channels]."""

    columns: dict[str, Any]
    pixels: np.ndarray
    size_bytes: int


@dataclass(frozen=True)
class PhotoBatch:
    """Decoded photos on their way to the model; `chunk` is the part of the inventory that they come from."""

    chunk: int
    photos: list[DecodedPhoto]


def decode_row(row: dict[str, Any], encoded: EncodedPhoto, *, size: int, channels: int) -> DecodedPhoto | Reject:
    """Reads and decodes one row of the inventory."""
    try:
        data = encoded.read()
        decoded = photo.decode(data, size=size, channels=channels)
    except PhotoError as error:
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
    return DecodedPhoto(columns, decoded.pixels, len(data))


def batches_of(results: Iterable[DecodedPhoto | Reject], batch_size: int) -> Iterator[list[DecodedPhoto | Reject]]:
    """Yields the results in order, in batches of `batch_size` decoded photos; the last one may hold fewer."""
    batch: list[DecodedPhoto | Reject] = []
    decoded = 0
    for result in results:
        batch.append(result)
        decoded += isinstance(result, DecodedPhoto)
        if decoded == batch_size:
            yield batch
            batch, decoded = [], 0
    if batch:
        yield batch


class DecodeChunk(beam.DoFn):
    """One chunk (row group) of the inventory → PhotoBatches, and rejects."""

    def __init__(
        self,
        store: Store,
        inventory: str,
        *,
        size: int,
        channels: int,
        batch_size: int,
        progress_directory: str | None,
    ):
        self._store = store
        self._inventory = inventory
        self._size = size
        self._channels = channels
        self._batch_size = batch_size
        self._progress_directory = progress_directory
        self._bytes_read = Metrics.counter("firstseen", "bytes_read")
        self._decoded = Metrics.counter("firstseen", "photos_decoded")
        self._rejected = Metrics.counter("firstseen", "photos_rejected")

    def setup(self) -> None:
        """Starts the decoder threads: the decoders release the GIL."""
        self._pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="decode")
        self._progress = ProgressWriter(self._progress_directory)

    def process(self, chunk: int) -> Iterator[Any]:
        """Yields PhotoBatches and, tagged, rejects; an error says which chunk it struck."""
        with naming(f"chunk {chunk} of {self._inventory}"):
            rows = read_chunk(self._store, self._inventory, chunk)
            photos = zip(rows, read_photos(row["uri"] for row in rows), strict=True)
            # One batch is decoded while the model runs on the one before it.
            results = decode_ahead(photos, self._decode, pool=self._pool, ahead=2 * self._batch_size)
            for batch in batches_of(results, self._batch_size):
                decoded = [result for result in batch if isinstance(result, DecodedPhoto)]
                rejects = [result for result in batch if isinstance(result, Reject)]
                self._count(decoded, rejects)
                for reject in rejects:
                    yield beam.pvalue.TaggedOutput(REJECTS, reject)
                if decoded:
                    yield PhotoBatch(chunk, decoded)

    def teardown(self) -> None:
        """Stops the threads without waiting for photos nobody will use."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._progress.close()

    def _decode(self, listed: tuple[dict[str, Any], EncodedPhoto]) -> DecodedPhoto | Reject:
        row, encoded = listed
        return decode_row(row, encoded, size=self._size, channels=self._channels)

    def _count(self, decoded: list[DecodedPhoto], rejects: list[Reject]) -> None:
        self._bytes_read.inc(sum(one.size_bytes for one in decoded))
        self._decoded.inc(len(decoded))
        self._rejected.inc(len(rejects))
        self._progress.add(rejected=len(rejects))
