"""Small artifacts for tests, built by hand: no encoder and no pipeline is needed."""

import hashlib
from datetime import datetime, timezone
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.embedding_schema import Dtype, shard_schema
from pipelines.index_manifest import SearchParameters, Segment, Snapshot
from pipelines.segment_plan import ShardReference
from pipelines.shards import write_parquet
from serving.answers import Answer
from training.store import Store

ENCODER_DIGEST = "e" * 64
DIMENSION = 4


def day(number: int) -> datetime:
    """Returns a date; a greater number is later."""
    return datetime.fromtimestamp(number * 86_400, timezone.utc)


def content(name: object) -> bytes:
    """Returns a content hash."""
    return hashlib.sha256(str(name).encode()).digest()


def photo_columns(
    photo_id: str, *, content_sha256: bytes | None = None, published_at: datetime | None = None
) -> dict[str, Any]:
    """Returns the columns of one photo, without its embedding."""
    occurrence = {"photo_id": photo_id, "uri": f"file:///{photo_id}", "published_at": published_at}
    return {
        **occurrence,
        "content_sha256": content_sha256 or content(photo_id),
        "width": 4,
        "height": 3,
        "captured_at": None,
        "caption": f"caption of {photo_id}",
        "credit": None,
        "source": None,
        "occurrences": [occurrence],
        "thumbnail": None,
    }


def shard_table(
    photos: list[dict[str, Any]],
    *,
    vectors: np.ndarray | None = None,
    dtype: Dtype = "float32",
    encoder_digest: str = ENCODER_DIGEST,
) -> pa.Table:
    """Returns the rows of an embedding shard; vectors are random unless given: float [photos, dimension]."""
    if vectors is None:
        vectors = np.random.default_rng(len(photos)).standard_normal((len(photos), DIMENSION))
    values = vectors.astype(dtype)
    rows = [{**photo, "embedding": value} for photo, value in zip(photos, values, strict=True)]
    schema = shard_schema(values.shape[1], dtype, encoder_digest=encoder_digest, run_id="run")
    return pa.Table.from_pylist(rows, schema=schema)


def write_shard(store: Store, table: pa.Table) -> ShardReference:
    """Writes the rows as a shard of the store."""
    written = write_parquet(store, "embeddings/encoder/run", "part", table)
    return ShardReference(f"embeddings/encoder/run/{written.name}", written.rows, written.record)


def segment(**changes: Any) -> Segment:
    """Returns the description of a small exact segment."""
    described: dict[str, Any] = {
        "segment_id": "segment",
        "created_at": "2024-05-31T00:00:00+00:00",
        "encoder_id": "encoder",
        "encoder_digest": ENCODER_DIGEST,
        "dimension": DIMENSION,
        "distance": "cosine",
        "kind": "exact",
        "rows": 1,
        "photos": 1,
        "parameters": SearchParameters(),
        "recall_at_10": 1.0,
        "recall_queries": 0,
        "runs": {},
        "shards": [],
        "files": {},
    }
    return Segment(**{**described, **changes})


def snapshot(number: int, **changes: Any) -> Snapshot:
    """Returns a snapshot, without segments unless given."""
    described: dict[str, Any] = {
        "number": number,
        "parent": number - 1 or None,
        "created_at": "2024-05-31T00:00:00+00:00",
        "reason": "index",
        "encoder_id": "encoder",
        "encoder_digest": ENCODER_DIGEST,
        "segments": [],
    }
    return Snapshot(**{**described, **changes})


def match(**changes: Any) -> Answer:
    """Returns an answer with a match, every column filled."""
    filled: dict[str, Any] = {
        "query": "query.jpg",
        "status": "matched",
        "snapshot": 3,
        "encoder": "encoder",
        "rank": 1,
        "photo_id": "a/photo.jpg",
        "uri": "file:///archive/a/photo.jpg",
        "score": 0.75,
        "similarity": 0.5,
        "verdict": "similar",
        "inliers": 12,
        "query_overlap": 0.25,
        "photo_overlap": 1.0,
        "transform": [1.0, 0.0, 0.5, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        "first_seen_at": day(1),
        "first_seen_uri": "file:///archive/b.jpg",
        "occurrences": 2,
        "published_at": day(2),
        "caption": "A scene",
        "credit": "Desk",
    }
    return Answer(**{**filled, **changes})


def no_match(**changes: Any) -> Answer:
    """Returns an answer without a match."""
    return Answer(**{"query": "other.jpg", "status": "no_match", "snapshot": 3, "encoder": "encoder", **changes})
