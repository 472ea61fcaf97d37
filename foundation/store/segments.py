"""CONTRACT: segment.json, which says what one index holds, how it is searched and how well it finds."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from foundation.checks import require_digest
from foundation.errors import ArtifactRefusedError
from foundation.store import artifact
from foundation.store.artifact import Files, Timestamp
from foundation.store.files import Store

SEGMENTS = "segments"
SEGMENT_DESCRIPTION = "segment.json"
# Files of a segment. Rows are sorted by content hash, so that identical photos are found by binary search. Vectors are
# float32 [rows, dimension] in that order: in a file of our own, or in the one that ScaNN re-scores its candidates with.
PHOTOS = "photos.parquet"
CONTENT_HASHES = "content_hashes.npy"
VECTORS = "vectors.npy"
SCANN = "scann"
SCANN_VECTORS = "scann/dataset.npy"


@dataclass(frozen=True, kw_only=True)
class SearchParameters:
    """How a ScaNN segment was built and is searched; all zero where search is exact."""

    leaves: int = 0
    leaves_to_search: int = 0
    reorder: int = 0


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One immutable index over some embedding shards: what it holds, how it is searched, how well it finds."""

    __pydantic_config__: ClassVar = artifact.CONTRACT

    segment_id: str
    created_at: Timestamp
    encoder_id: str
    encoder_digest: str
    dimension: int
    distance: Literal["cosine", "euclidean"]
    kind: Literal["exact", "scann"]
    rows: int
    photos: int
    parameters: SearchParameters
    recall_at_10: float
    recall_queries: int
    runs: dict[str, str]
    shards: list[str]
    files: Files
    contract_version: int = 1
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SegmentReference:
    """A segment as a snapshot names it: by the digest of its segment.json."""

    segment_id: str
    digest: str
    rows: int
    photos: int


def segment_directory(segment_id: str) -> str:
    """Returns the path of a segment in the store."""
    return f"{SEGMENTS}/{segment_id}"


def segment_path(segment_id: str) -> str:
    """Returns the path of a segment's description in the store."""
    return f"{segment_directory(segment_id)}/{SEGMENT_DESCRIPTION}"


def read_segment(store: Store, reference: SegmentReference) -> Segment:
    """Returns a segment's description; raises ArtifactRefusedError unless it is the one the snapshot names."""
    path = segment_path(reference.segment_id)
    segment, digest = artifact.read(store, path, Segment)
    remedy = "restore it from a copy, or roll back to a snapshot without it"
    require_digest(path, digest, expected=reference.digest, named_by="the snapshot", remedy=remedy)
    if (segment.rows, segment.photos) != (reference.rows, reference.photos):
        # The segment has its digest: it is the snapshot that was changed.
        raise ArtifactRefusedError(
            f"{path} counts {segment.rows:,} rows and {segment.photos:,} photos, the snapshot {reference.rows:,} and "
            f"{reference.photos:,}; restore the snapshot from a copy, or roll back to another one"
        )
    return segment
