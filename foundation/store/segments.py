"""CONTRACT: segment.json, which says what one index holds, how it is searched and how well it finds."""

from collections.abc import Iterable
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
# float32 [rows, dimension] in that order: in a file of our own, or, in segments of versions 1 and 2 with a ScaNN tree,
# in the one that ScaNN itself re-scores its candidates with.
PHOTOS = "photos.parquet"
CONTENT_HASHES = "content_hashes.npy"
VECTORS = "vectors.npy"
SCANN = "scann"
SCANN_VECTORS = "scann/dataset.npy"
# What a segment says of contents that other segments hold, or of its own once more: their hashes, ascending, a row of
# occurrences for each, and the hashes of those that a photo went from. Without any there are no such files.
CHANGES = "changes.parquet"
CHANGED_HASHES = "changed_hashes.npy"
REMOVED_HASHES = "removed_hashes.npy"
# Local features, in the order of the rows: those of row r are starts[r] to starts[r + 1] of keypoints and descriptors.
# docs/contracts.md lists their dtypes. A segment of whose photos no features were kept has none of these files.
LOCAL = "local"
LOCAL_STARTS = "local/starts.npy"
LOCAL_FRAMES = "local/frames.npy"
LOCAL_KEYPOINTS = "local/keypoints.npy"
LOCAL_DESCRIPTORS = "local/descriptors.npy"
LOCAL_THUMBNAILS = "local/thumbnails.bin"
LOCAL_THUMBNAIL_STARTS = "local/thumbnail_starts.npy"
LOCAL_SCANN = "local/scann"
# Files of one of its trees: the hashes, which ScaNN reads too, lie leaf by leaf from version 4 on; the others are for
# searches without ScaNN. Trees of earlier versions have the first alone, in the order of the features.
TREE_HASHES = "hashed_dataset.npy"
TREE_ORDER = "order.npy"
TREE_LEAF_STARTS = "leaf_starts.npy"
TREE_CENTRES = "leaf_centres.npy"
TREE_CODEBOOK = "codebook.npy"
TREE_FILES = frozenset([TREE_HASHES, TREE_ORDER, TREE_LEAF_STARTS, TREE_CENTRES, TREE_CODEBOOK])
LOCAL_FILES = frozenset(
    [LOCAL_STARTS, LOCAL_FRAMES, LOCAL_KEYPOINTS, LOCAL_DESCRIPTORS, LOCAL_THUMBNAILS, LOCAL_THUMBNAIL_STARTS]
)


def whole_hash(stored: bytes) -> bytes:
    """Returns the 32 bytes of one of the content hashes of a segment: NumPy drops the zeros that it may end in."""
    return bytes(stored).ljust(32, b"\0")


@dataclass(frozen=True, kw_only=True)
class SearchParameters:
    """How a ScaNN segment was built and is searched; all zero where search is exact."""

    leaves: int = 0
    leaves_to_search: int = 0
    reorder: int = 0


@dataclass(frozen=True, kw_only=True)
class MeasuredSearch(SearchParameters):
    """How a ScaNN segment may be searched, what part of the 10 true neighbours that finds, and what it costs.

    The time is the processor's, of a query among a batch, on the machine that built the segment.
    """

    recall_at_10: float
    microseconds_per_query: float


@dataclass(frozen=True, kw_only=True)
class LocalTree:
    """One ScaNN tree over descriptors: which of them it holds, how many leaves it has, and how many are searched."""

    first: int
    descriptors: int
    leaves: int
    leaves_to_search: int


@dataclass(frozen=True, kw_only=True)
class LocalFeaturesRecord:
    """The local features of a segment's photos, made by the rule `feature_rule`: those of `rows` rows have any.

    Without trees every descriptor is looked at; `recall` is the share of nearest descriptors that the trees find.
    """

    feature_rule: int
    rows: int
    features: int
    trees: list[LocalTree] = field(default_factory=list)
    recall: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One immutable index over some embedding shards: what it holds, how it is searched, how well it finds.

    `photos` are the occurrences that it adds, `changes` the rows of `changes.parquet`; a segment of changes alone has
    no rows. Segments of versions 1 and 2 name no archive in their occurrences.
    """

    __pydantic_config__: ClassVar = artifact.CONTRACT
    upgrades: ClassVar[artifact.Upgrades] = {
        1: lambda raw: {**raw, "local": None},
        2: lambda raw: {**raw, "changes": 0, "names_archives": False},
        # Trees of version 3 are known by the files that they lack.
        3: lambda raw: raw,
    }

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
    local: LocalFeaturesRecord | None
    changes: int = 0
    names_archives: bool = True
    contract_version: int = 4
    versions: dict[str, str] = field(default_factory=dict)
    # The searches that were tried and that no other one beats in both recall and time, cheapest first. Their recall is
    # of the queries that `parameters` was chosen by; `recall_at_10` is of other ones.
    frontier: list[MeasuredSearch] = field(default_factory=list)

    @property
    def has_changes(self) -> bool:
        """Whether it says more of contents than its rows do: perhaps of its own alone, and then counts no change."""
        return CHANGES in self.files

    @property
    def has_all_features(self) -> bool:
        """Whether local features were kept of all of its contents."""
        return self.local is not None and self.local.rows == self.rows

    @property
    def local_search_bytes(self) -> int:
        """Size of the files that finding photos by local features reads."""
        # Neighbours are weighed by the scales and angles of their keypoints; without trees, every descriptor is read.
        trees = [name for name in self.files if name.startswith(f"{LOCAL_SCANN}/")]
        return self._size({LOCAL_STARTS, LOCAL_KEYPOINTS, *(trees or [LOCAL_DESCRIPTORS])})

    @property
    def local_verification_bytes(self) -> int:
        """Size of the files of which only single photos are read, to compare them with a query."""
        local = {name for name in self.files if name.startswith(f"{LOCAL}/")}
        return self._size(local) - self.local_search_bytes

    def _size(self, names: set[str]) -> int:
        return sum(record.size_bytes for name, record in self.files.items() if name in names)


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


def content_hashes_path(segment: Segment) -> str:
    """Returns the path in the store of the hashes of the contents that a segment holds."""
    return f"{segment_directory(segment.segment_id)}/{CONTENT_HASHES}"


def read_segment(store: Store, reference: SegmentReference) -> Segment:
    """Returns a segment's description; raises ArtifactRefusedError unless it is the one the snapshot names."""
    path = segment_path(reference.segment_id)
    with artifact.missing_named(store, path, f"{path}, which the snapshot names, is missing"):
        data = store.read(path)
    # The digest comes first: a damaged description may say that it is of another version.
    found = artifact.digest_of(data)
    require_digest(path, found, expected=reference.digest, named_by="the snapshot", remedy=artifact.REMEDY)
    segment = artifact.from_json(data, Segment, path=path)
    if (segment.rows, segment.photos) != (reference.rows, reference.photos):
        # The segment has its digest: it is the snapshot that was changed.
        raise ArtifactRefusedError(
            f"{path} counts {segment.rows:,} rows and {segment.photos:,} photos, the snapshot {reference.rows:,} and "
            f"{reference.photos:,}; restore the snapshot from a copy, or roll back to another one"
        )
    return segment


def require_files(store: Store, segments: Iterable[Segment]) -> None:
    """Raises ArtifactRefusedError unless the files of these segments are there, with their sizes.

    Costs a listing for each segment; it is `verify` that reads the files, too.
    """
    for segment in segments:
        prefix = segment_directory(segment.segment_id)
        sizes = store.sizes(prefix)
        for name, record in segment.files.items():
            if sizes.get(name) != record.size_bytes:
                found = f"is of {sizes[name]:,} bytes" if name in sizes else "is missing"
                raise ArtifactRefusedError(
                    f"{prefix}/{name} {found}, expected {record.size_bytes:,} bytes; nothing was published: "
                    f"{artifact.REMEDY}"
                )


def remove_segments(store: Store, references: Iterable[SegmentReference]) -> None:
    """Removes segments that no snapshot names, their descriptions first: without one a segment is never read."""
    for reference in references:
        prefix, files = segment_directory(reference.segment_id), read_segment(store, reference).files
        store.delete([segment_path(reference.segment_id), *(f"{prefix}/{name}" for name in files)])
