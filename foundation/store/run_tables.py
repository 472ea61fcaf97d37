"""CONTRACT: the columns of the files of a run: embedding shards, inventory, changes, rejects."""

import pyarrow as pa

from foundation.checks import require_digest
from foundation.errors import ArtifactRefusedError
from foundation.store.occurrences import occurrence_type
from foundation.store.runs import CONTRACT_VERSION, Dtype, Features

# Keys of a shard's file metadata; Arrow reads and writes them as bytes.
SHARD_VERSION = b"firstseen.contract_version"
ENCODER_DIGEST = b"firstseen.encoder_digest"
RUN_ID = b"firstseen.run_id"


def catalog_fields() -> list[pa.Field]:
    """Returns what an editor knows of a photo, joined in from the catalog."""
    return [
        pa.field("published_at", pa.timestamp("us", "UTC")),
        pa.field("caption", pa.string()),
        pa.field("credit", pa.string()),
        pa.field("source", pa.string()),
    ]


def given_fields() -> list[pa.Field]:
    """Returns what stands beside a photo about it: in a catalog, in an inventory that lists it, or in its sidecar."""
    published_at, *words = catalog_fields()
    return [published_at, pa.field("captured_at", pa.timestamp("us", "UTC")), *words]


def listing_fields() -> list[pa.Field]:
    """Returns what a listing says of a photo, a catalog's words included; a sidecar is named, and not yet read."""
    return [
        pa.field("photo_id", pa.string(), nullable=False),
        pa.field("uri", pa.string(), nullable=False),
        pa.field("size_bytes", pa.int64(), nullable=False),
        pa.field("modified_at", pa.timestamp("us", "UTC")),
        pa.field("etag", pa.string()),
        pa.field("sidecar_uri", pa.string()),
        pa.field("sidecar_version", pa.string()),
        *given_fields(),
    ]


def inventory_schema() -> pa.Schema:
    """Returns the columns of the inventory: one row per listed photo, and what became of it.

    A photo has a content, or the reason why it has none, or both if it could be read before and cannot be today. What
    its sidecar says counts where nothing else is said. Inventories of versions 1 and 2 have fewer columns.
    """
    return pa.schema(
        [
            *listing_fields(),
            pa.field("sidecar", pa.struct(given_fields())),
            pa.field("content_sha256", pa.binary(32)),
            pa.field("reason", pa.string()),
            pa.field("detail", pa.string()),
        ]
    )


def changes_schema() -> pa.Schema:
    """Returns the columns of a run's changes: one row per photo and content, where it came, changed or went.

    Of the photos whose contents are in the run's own shards, those alone whose row there is not right any more.
    """
    return pa.schema(
        [
            pa.field("content_sha256", pa.binary(32), nullable=False),
            pa.field("photo_id", pa.string(), nullable=False),
            pa.field("uri", pa.string(), nullable=False),
            *given_fields(),
            pa.field("is_removed", pa.bool_(), nullable=False),
        ]
    )


def photo_fields() -> list[pa.Field]:
    """Returns the columns that describe a photo; shards and segments share them.

    From version 3 on `caption` and `credit` are what the photo's file says; a catalog's stand in `occurrences`.
    """
    published_at, *words = catalog_fields()
    return [
        pa.field("photo_id", pa.string(), nullable=False),
        pa.field("uri", pa.string(), nullable=False),
        pa.field("content_sha256", pa.binary(32), nullable=False),
        pa.field("width", pa.int32(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
        published_at,
        pa.field("captured_at", pa.timestamp("us", "UTC")),
        *words,
        pa.field("occurrences", pa.list_(occurrence_type()), nullable=False),
    ]


def local_fields() -> list[pa.Field]:
    """Returns the columns that hold a photo's local features and its thumbnail, a JPEG.

    `keypoints` and `descriptors` are those of `foundation.photos.local_features_bytes`: uint16 [n, 4] and int8 [n, 64]
    back to back, of no byte for a photo without features; the frame is what keypoints are placed in.
    """
    return [
        pa.field("frame_width", pa.uint16(), nullable=False),
        pa.field("frame_height", pa.uint16(), nullable=False),
        pa.field("keypoints", pa.binary(), nullable=False),
        pa.field("descriptors", pa.binary(), nullable=False),
        pa.field("thumbnail", pa.binary(), nullable=False),
    ]


def shard_schema(
    dimension: int, dtype: Dtype, *, encoder_digest: str, run_id: str, features: Features = "none"
) -> pa.Schema:
    """Returns the columns and file metadata of an embedding shard."""
    value = pa.float32() if dtype == "float32" else pa.float16()
    photo_id, uri, content, *rest = photo_fields()
    embedding = pa.field("embedding", pa.list_(value, dimension), nullable=False)
    return pa.schema(
        [photo_id, uri, content, embedding, *rest, *(local_fields() if features == "local" else [])],
        metadata={
            SHARD_VERSION: str(CONTRACT_VERSION),
            ENCODER_DIGEST: encoder_digest,
            RUN_ID: run_id,
        },
    )


def check_shard(path: str, schema: pa.Schema, *, encoder_digest: str) -> None:
    """Raises ArtifactRefusedError unless the file metadata of a shard names this encoder and a version that is read.

    schema: that of the Parquet file, with its metadata.
    """
    metadata = schema.metadata or {}
    require_digest(
        f"the encoder of shard {path}",
        metadata.get(ENCODER_DIGEST, b"").decode(),
        expected=encoder_digest,
        named_by="the run",
        remedy="vectors of two encoders cannot be mixed: encode again",
    )
    version = metadata.get(SHARD_VERSION, b"none").decode()
    # Later versions added columns, and fields to the occurrences: what older ones have means the same.
    if version not in ("1", "2", "3"):
        raise ArtifactRefusedError(
            f"shard {path} has contract version {version}; this program reads versions 1 to {CONTRACT_VERSION}: "
            "use the version of firstseen that wrote it, or encode again"
        )


def reject_schema() -> pa.Schema:
    """Returns the columns of a rejects file: one row per photo that could not be used."""
    return pa.schema(
        [
            pa.field("photo_id", pa.string(), nullable=False),
            pa.field("uri", pa.string(), nullable=False),
            pa.field("reason", pa.string(), nullable=False),
            pa.field("detail", pa.string(), nullable=False),
        ]
    )
