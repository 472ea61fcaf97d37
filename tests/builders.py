"""Small artifacts for tests, built by hand: no encoder and no pipeline is needed."""

import hashlib
from datetime import datetime, timezone
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from foundation.photos.local_features import FEATURE_RULE
from foundation.store import artifact
from foundation.store.artifact import FileRecord
from foundation.store.encoders import ENCODER_DESCRIPTION, EncoderSpec, encoder_directory, encoder_id_for, read_spec
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence
from foundation.store.run_tables import shard_schema
from foundation.store.runs import RUN_DESCRIPTION, Accounting, Dtype, Features, Run, run_directory
from foundation.store.segments import SearchParameters, Segment
from foundation.store.snapshots import Snapshot
from pipelines.encode import write_shards
from pipelines.index.plan import ShardReference
from serving.answers import Answer
from serving.search.snapshot import OpenSnapshot, Place

Distance = Literal["cosine", "euclidean"]
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
    occurrence = Occurrence(photo_id, f"file:///{photo_id}", published_at)
    return {
        "photo_id": photo_id,
        "uri": occurrence.uri,
        "published_at": published_at,
        "content_sha256": content_sha256 or content(photo_id),
        "width": 4,
        "height": 3,
        "captured_at": None,
        "caption": f"caption of {photo_id}",
        "credit": None,
        "source": None,
        "occurrences": [occurrence.to_struct()],
    }


def local_columns(features: int, *, seed: int = 0, thumbnail: bytes = b"JPEG") -> dict[str, Any]:
    """Returns the columns of one photo's local features, random ones, in a frame of 100 x 80 pixels."""
    generator = np.random.default_rng(seed)
    return {
        "frame_width": 100,
        "frame_height": 80,
        "keypoints": generator.integers(0, 80 * 64, (features, 4)).astype("<u2").tobytes(),
        "descriptors": generator.integers(-127, 128, (features, 64), np.int8).tobytes(),
        "thumbnail": thumbnail,
    }


def shard_table(
    photos: list[dict[str, Any]],
    *,
    vectors: np.ndarray | None = None,
    dtype: Dtype = "float32",
    encoder_digest: str = ENCODER_DIGEST,
    features: Features = "none",
) -> pa.Table:
    """Returns the rows of an embedding shard; vectors are random unless given: float [photos, dimension].

    With `features` "local" the photos carry the columns of them.
    """
    if vectors is None:
        vectors = np.random.default_rng(len(photos)).standard_normal((len(photos), DIMENSION))
    values = vectors.astype(dtype)
    rows = [{**photo, "embedding": value} for photo, value in zip(photos, values, strict=True)]
    schema = shard_schema(values.shape[1], dtype, encoder_digest=encoder_digest, run_id="run", features=features)
    return pa.Table.from_pylist(rows, schema=schema)


def write_shard(store: Store, table: pa.Table) -> ShardReference:
    """Writes the rows as a shard of the store."""
    written = write_shards.write_shard(store, "embeddings/encoder/run", table)
    return ShardReference(f"embeddings/encoder/run/{written.name}", written.rows, written.record)


def encoder_spec(**changes: Any) -> EncoderSpec:
    """Returns the description of a small encoder."""
    dimension = changes.get("dimension", DIMENSION)
    described: dict[str, Any] = {
        "encoder_id": "encoder",
        "recipe": "made",
        "created_at": artifact.now(),
        "size": 8,
        "channels": 3,
        "dimension": dimension,
        "distance": "cosine",
        "decode_rule": 1,
        "golden_vectors": [[0.0] * dimension] * 4,
        "files": {},
    }
    return EncoderSpec(**{**described, **changes})


def add_encoder(
    store: Store, *, recipe: str = "made", distance: Distance = "cosine", dimension: int = DIMENSION
) -> str:
    """Puts the description of an encoder into the store, without a model: indexing never loads it. Returns its id."""
    files = {"model": FileRecord(1, artifact.digest_of(recipe.encode()))}
    encoder_id = encoder_id_for(recipe, files)
    spec = encoder_spec(encoder_id=encoder_id, recipe=recipe, distance=distance, dimension=dimension, files=files)
    artifact.finish(store, f"{encoder_directory(spec.encoder_id)}/{ENCODER_DESCRIPTION}", spec)
    return spec.encoder_id


def unit_vectors(rows: int, dimension: int, *, seed: int = 0) -> np.ndarray:
    """Returns float32 [rows, dimension] of unit length."""
    vectors = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def add_run(
    store: Store,
    encoder_id: str,
    run_id: str,
    vectors: np.ndarray,
    *,
    per_shard: int = 50,
    prefix: str = "",
    features: Features = "none",
    archive: str | None = None,
    generation: int = 1,
    previous: str | None = None,
) -> Run:
    """Writes a finished run, of an archive of its own unless one is named.

    Photo n is `RUN/PREFIXn.jpg`, and its content depends on the prefix and n alone.

    With `features` "local" photo n has n of them, random ones.
    """
    spec, digest = read_spec(store, encoder_id)
    schema = shard_schema(spec.dimension, "float32", encoder_digest=digest, run_id=run_id, features=features)
    directory = run_directory(encoder_id, run_id)
    names = [f"{prefix}{number}" for number in range(len(vectors))]
    rows = [
        photo_columns(f"{run_id}/{name}.jpg", content_sha256=content(name))
        | local_columns(number, seed=number)
        | {"embedding": vector}
        for number, (name, vector) in enumerate(zip(names, vectors, strict=True))
    ]
    parts = [rows[start : start + per_shard] for start in range(0, len(rows), per_shard)]
    written = [write_shards.write_shard(store, directory, pa.Table.from_pylist(part, schema=schema)) for part in parts]
    run = Run(
        run_id=run_id,
        archive=archive or f"made:{run_id}",
        created_at=artifact.now(),
        encoder_id=encoder_id,
        encoder_digest=digest,
        decode_rule=1,
        dimension=spec.dimension,
        distance=spec.distance,
        dtype="float32",
        accounting=Accounting(listed=len(rows), embedded=len(rows), duplicates=0, photos=len(rows), contents=len(rows)),
        rows={file.name: file.rows for file in written},
        files={file.name: file.record for file in written},
        generation=generation,
        previous=previous,
        changes=0,
        features=features,
        feature_rule=FEATURE_RULE if features == "local" else None,
    )
    artifact.finish(store, f"{directory}/{RUN_DESCRIPTION}", run)
    return run


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
        "local": None,
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
        "archives": {},
        "left_out": [],
        "photos": 0,
        "contents": 0,
        "publisher": "builder",
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
        "first_seen_basis": "published",
        "first_seen_uri": "file:///archive/b.jpg",
        "occurrences": 2,
        "published_at": day(2),
        "caption": "A scene",
        "credit": "Desk",
        "source": "Agency",
    }
    return Answer(**{**filled, **changes})


def no_match(**changes: Any) -> Answer:
    """Returns an answer without a match."""
    return Answer(**{"query": "other.jpg", "status": "no_match", "snapshot": 3, "encoder": "encoder", **changes})


class Neighbour(NamedTuple):
    """A content near a vector: its hash, how near, and the first place that holds it."""

    content: bytes
    similarity: float
    place: Place


def neighbours_of(opened: OpenSnapshot, vectors: np.ndarray, k: int) -> list[list[Neighbour]]:
    """Returns what a snapshot finds for each vector, best first."""
    found = opened.search(vectors, k)
    return [
        [
            Neighbour(one, float(similarity), opened.places([one])[0][0])
            for similarity, one in zip(similarities, (bytes(one).ljust(32, b"\0") for one in contents), strict=True)
            if similarity > -np.inf
        ]
        for similarities, contents in zip(found.similarities, found.contents, strict=True)
    ]
