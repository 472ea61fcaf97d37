"""Batches of pixels in, Arrow tables of embeddings out: our own SavedModel step."""

import threading
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.metrics import Metrics

from foundation.encoder import SavedEncoder, load
from foundation.store.files import Store
from pipelines.encode.decode_photos import REJECTS, DecodedPhoto, PhotoBatch, Reject
from pipelines.runners.failures import naming
from pipelines.runners.progress import ProgressWriter

LENGTH_TOLERANCE = 1e-2
_loading = threading.Lock()


def shared_encoder(store: Store, encoder_id: str, digest: str, batch_size: int) -> SavedEncoder:
    """Returns the encoder, loaded and verified once per process: its threads share one copy of the weights."""
    with _loading:
        return _load(store.uri, encoder_id, digest, batch_size)


@lru_cache(maxsize=1)
def _load(store_uri: str, encoder_id: str, digest: str, batch_size: int) -> SavedEncoder:
    return load(Store(store_uri), encoder_id, expected_digest=digest, batch_size=batch_size)


def unusable_vectors(vectors: np.ndarray, distance: str) -> np.ndarray:
    """Returns bool [n]: vectors that would break an index (not finite, or without direction under cosine).

    vectors: float32 [n, dimension]. One NaN kills the process in a ScaNN tree build, without an exception.
    """
    lengths = np.linalg.norm(vectors, axis=1)
    bad = ~np.isfinite(lengths)
    return bad | (np.abs(lengths - 1) > LENGTH_TOLERANCE) if distance == "cosine" else bad


def to_table(photos: list[DecodedPhoto], vectors: np.ndarray, schema: pa.Schema) -> pa.Table:
    """Returns shard rows: the photos' columns and float32 [n, dimension] vectors in the schema's dtype."""
    position, field = schema.get_field_index("embedding"), schema.field("embedding")
    table = pa.Table.from_pylist([photo.columns for photo in photos], schema=schema.remove(position))
    dtype = np.float16 if field.type.value_type == pa.float16() else np.float32
    values = pa.array(vectors.astype(dtype).ravel())
    embeddings = pa.FixedSizeListArray.from_arrays(values, field.type.list_size)
    return table.add_column(position, field, embeddings)


class EmbedBatch(beam.DoFn):
    """PhotoBatches → tables of shard rows; the pixels end here."""

    def __init__(
        self,
        store: Store,
        encoder_id: str,
        encoder_digest: str,
        schema: pa.Schema,
        *,
        batch_size: int,
        progress_directory: str | None,
    ):
        self._store = store
        self._encoder_id = encoder_id
        self._encoder_digest = encoder_digest
        self._schema = schema
        self._batch_size = batch_size
        self._progress_directory = progress_directory
        self._embedded = Metrics.counter("firstseen", "photos_embedded")

    def setup(self) -> None:
        """Loads the encoder, checked against the digest the run names."""
        self._encoder = shared_encoder(self._store, self._encoder_id, self._encoder_digest, self._batch_size)
        self._progress = ProgressWriter(self._progress_directory)

    def process(self, batch: PhotoBatch) -> Iterator[Any]:
        """Yields one table per batch and, tagged, a reject per photo without a usable vector."""
        photos = batch.photos
        with naming(f"chunk {batch.chunk}, {len(photos)} photos from {photos[0].columns['photo_id']!r}"):
            vectors = self._encoder.encode(np.stack([photo.pixels for photo in photos]))
        bad = unusable_vectors(vectors, self._encoder.spec.distance)
        for index in np.flatnonzero(bad):
            yield beam.pvalue.TaggedOutput(REJECTS, _unusable_reject(photos[index]))
        good = [photo for photo, is_bad in zip(photos, bad, strict=True) if not is_bad]
        self._embedded.inc(len(good))
        self._progress.add(embedded=len(good), rejected=int(bad.sum()))
        if good:
            yield to_table(good, vectors[~bad], self._schema)

    def teardown(self) -> None:
        """Closes the side channel."""
        self._progress.close()


def _unusable_reject(photo: DecodedPhoto) -> Reject:
    columns = photo.columns
    detail = "the encoder gave a vector that is not finite or has no direction; expected unit length"
    return Reject(columns["photo_id"], columns["uri"], "no_embedding", detail)
