"""Decodes the photos of a chunk in threads ahead of the model: uris in, batches of pixels and rejects out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.metrics import Metrics

from foundation.archives.archive import read_photos
from foundation.archives.photos import EncodedPhoto
from foundation.photos import photo
from foundation.photos.decode_ahead import decode_ahead, start_decoders
from foundation.photos.local_features import LONGEST_SIDE
from foundation.photos.photo import PhotoError
from foundation.store.files import Store
from foundation.store.runs import Features
from pipelines.encode.inventory import read_chunk
from pipelines.encode.local_columns import local_columns
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
    """One decoded photo: the columns of its shard row, and its pixels uint8 [size, size, channels].

    `size_bytes` is that of the encoded file, which the counter of bytes read adds up.
    """

    columns: dict[str, Any]
    pixels: np.ndarray
    size_bytes: int


@dataclass(frozen=True)
class PhotoBatch:
    """Decoded photos on their way to the model, at least one; `chunk` is the row group of the inventory they are from.

    It travels along for messages alone: an error of the model can then say which photos it struck.
    """

    chunk: int
    photos: list[DecodedPhoto]


def decode_row(
    row: dict[str, Any], encoded: EncodedPhoto, *, size: int, channels: int, features: Features = "none"
) -> DecodedPhoto | Reject:
    """Reads and decodes the photo of one row of the inventory; a photo that cannot be used is a Reject, not an error.

    With `features` "local" those are extracted as well. row: a dict of the inventory's columns. Runs in a thread of the
    pool. Raises only what is no fault of the photo.
    """
    # Photos fail one by one: an exception here would make Beam retry the whole chunk until the run fails.
    try:
        data = encoded.read()
        frame_side = LONGEST_SIDE if features == "local" else None
        decoded = photo.decode(data, size=size, channels=channels, frame_side=frame_side)
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
        # Exact duplicates are merged once the shards are written, and add theirs to this list then.
        "occurrences": [{key: row[key] for key in ("photo_id", "uri", "published_at")}],
    }
    if decoded.frame is not None:
        columns |= local_columns(decoded.frame)
    return DecodedPhoto(columns, decoded.pixels, len(data))


def batches_of(results: Iterable[DecodedPhoto | Reject], batch_size: int) -> Iterator[list[DecodedPhoto | Reject]]:
    """Yields the results in order, in batches of `batch_size` decoded photos; the last one may hold fewer.

    Rejects ride along between them and do not count: batches of a fixed number of photos keep TensorFlow at one shape.
    """
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
    """One chunk (row group) of the inventory → PhotoBatches, and rejects.

    `inventory` is its path in the store, `size` and `channels` are what the encoder takes. A worker holds two batches
    of small squares and, if asked for, local features (20 KB a photo), and one full-size photo per thread.
    `progress_directory` is one that the launcher shares, if any.
    """

    def __init__(
        self,
        store: Store,
        inventory: str,
        *,
        size: int,
        channels: int,
        features: Features,
        batch_size: int,
        progress_directory: str | None,
    ):
        self._store = store
        self._inventory = inventory
        self._size = size
        self._channels = channels
        self._features = features
        self._batch_size = batch_size
        self._progress_directory = progress_directory
        self._bytes_read = Metrics.counter("firstseen", "bytes_read")
        self._decoded = Metrics.counter("firstseen", "photos_decoded")
        self._rejected = Metrics.counter("firstseen", "photos_rejected")

    def setup(self) -> None:
        """Starts the decoder threads, one per core."""
        # Pools and open files cannot be pickled: what a worker needs of them is made here, once per instance.
        self._pool = start_decoders()
        self._progress = ProgressWriter(self._progress_directory)

    def process(self, chunk: int) -> Iterator[Any]:
        """Yields PhotoBatches and, tagged, rejects; an error says which chunk it struck."""
        with naming(f"chunk {chunk} of {self._inventory}"):
            # A chunk is one element: elements of one photo each reached 0.42 of the speed of a bare loop, chunks 0.97.
            # Its rows are held at once, some 200 bytes each; photos are read as the threads come to them.
            rows = read_chunk(self._store, self._inventory, chunk)
            photos = zip(rows, read_photos(row["uri"] for row in rows), strict=True)
            # Beam fuses this step with the model's: the yield below returns when the model is done with the batch. Two
            # batches in the hands of the threads let them decode one meanwhile, and finish stragglers of the other.
            results = decode_ahead(photos, self._decode, pool=self._pool, ahead=2 * self._batch_size)
            for batch in batches_of(results, self._batch_size):
                decoded = [result for result in batch if isinstance(result, DecodedPhoto)]
                rejects = [result for result in batch if isinstance(result, Reject)]
                # Counted per batch, not per photo: a counter takes a lock, and progress a write.
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
        return decode_row(row, encoded, size=self._size, channels=self._channels, features=self._features)

    def _count(self, decoded: list[DecodedPhoto], rejects: list[Reject]) -> None:
        self._bytes_read.inc(sum(one.size_bytes for one in decoded))
        self._decoded.inc(len(decoded))
        self._rejected.inc(len(rejects))
        self._progress.add(rejected=len(rejects))
