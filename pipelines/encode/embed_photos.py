"""Embeds batches of decoded photos with the encoder: uint8 pixels in, an Arrow table of shard rows out.

The step is ours since Beam's `TFModelHandler` calls `keras.load_model`, which refuses exported SavedModels, and its
results would carry the pixels further down the pipeline.
"""

import threading
from functools import lru_cache

import numpy as np
import pyarrow as pa

from foundation.encoder import SavedEncoder, load
from foundation.store.files import Store
from pipelines.encode.decode_photos import DecodedPhoto

# A unit vector is off by 1e-7 in float32 and by 1e-3 in half precision; what is further off was not normalised.
LENGTH_TOLERANCE = 1e-2
# Beam sets up several instances of a DoFn in one process: without the lock each would load a model of its own.
_loading = threading.Lock()


def shared_encoder(store: Store, encoder_id: str, digest: str, batch_size: int) -> SavedEncoder:
    """Returns the encoder, loaded and verified once per process: its threads share one copy of the weights.

    Raises what `foundation.encoder.load` does. TensorFlow runs one signature from many threads at once.
    """
    with _loading:
        return _load(store.uri, encoder_id, digest, batch_size)


# One encoder, since a run has one: a worker that goes on with another run lets the old weights go. The key is made of
# texts, for a store that was pickled into a DoFn is another object in each of them.
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
    # The matrix becomes the column as it lies in memory: lists of Python floats would take longer than the model.
    values = pa.array(vectors.astype(dtype).ravel())
    embeddings = pa.FixedSizeListArray.from_arrays(values, field.type.list_size)
    return table.add_column(position, field, embeddings)


def embed_photos(
    encoder: SavedEncoder, photos: list[DecodedPhoto], schema: pa.Schema
) -> tuple[pa.Table | None, set[bytes]]:
    """Returns (the shard rows of the photos, the contents that have no usable vector); no table without any row.

    `schema` is that of the shards, with their metadata.
    """
    vectors = encoder.encode(np.stack([photo.pixels for photo in photos]))
    # Refused here, where the photo is still known: an index build would see a row without a name, or just die.
    bad = unusable_vectors(vectors, encoder.spec.distance)
    good = [photo for photo, is_bad in zip(photos, bad, strict=True) if not is_bad]
    unusable = {photos[index].content_sha256 for index in np.flatnonzero(bad)}
    return (to_table(good, vectors[~bad], schema) if good else None), unusable
