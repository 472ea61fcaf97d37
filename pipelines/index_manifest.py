"""CONTRACT: segment.json and the snapshots; publishing is creating the next number, which only one can do."""

import uuid
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from training import artifact, encoder_spec
from training.artifact import Files
from training.encoder_spec import EncoderSpec
from training.errors import ArtifactRefusedError, InputNotFoundError, PublishRaceLostError
from training.store import Store

SEGMENTS = "segments"
SEGMENT_DESCRIPTION = "segment.json"
SNAPSHOTS = "snapshots"

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

    __pydantic_config__: ClassVar = artifact.STRICT

    segment_id: str
    created_at: str
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


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The list of segments that is live, all of one encoder; the highest number counts.

    `parent` is the snapshot whose content this one was built upon. `publisher` is random: it tells the retry of a
    publish from a lost race.
    """

    __pydantic_config__: ClassVar = artifact.STRICT

    number: int
    parent: int | None
    created_at: str
    reason: str
    encoder_id: str
    encoder_digest: str
    segments: list[SegmentReference]
    publisher: str
    contract_version: int = 1

    @property
    def rows(self) -> int:
        """Distinct contents per segment, added up."""
        return sum(segment.rows for segment in self.segments)

    @property
    def photos(self) -> int:
        """Photos of the archives, exact duplicates included."""
        return sum(segment.photos for segment in self.segments)


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
    if digest != reference.digest:
        raise ArtifactRefusedError(
            f"{path} has the digest {digest[:12]}…, the snapshot expects {reference.digest[:12]}…; "
            "restore it from a copy, or roll back to a snapshot without it"
        )
    return segment


def snapshot_path(number: int) -> str:
    """Returns the path of a snapshot in the store."""
    return f"{SNAPSHOTS}/{number}.json"


def snapshot_numbers(store: Store) -> list[int]:
    """Returns the numbers of all snapshots, ascending; the last one is live."""
    stems = [name.removesuffix(".json") for name in store.files(SNAPSHOTS) if name.endswith(".json")]
    # 007.json and ٣.json are digits too, but no number that `snapshot_path` writes.
    return sorted(int(stem) for stem in stems if stem.isdecimal() and str(int(stem)) == stem)


def read_snapshot(store: Store, number: int | None = None) -> Snapshot:
    """Returns the numbered snapshot, or the live one; raises InputNotFoundError listing what there is."""
    numbers = snapshot_numbers(store)
    if not numbers:
        raise InputNotFoundError(
            f"store {store.uri} has no snapshot yet: expected one published by `firstseen index --store {store.uri}`"
        )
    if number is None:
        number = numbers[-1]
    if number not in numbers:
        raise InputNotFoundError(f"no snapshot {number} in store {store.uri}; it has {numbers[0]} to {numbers[-1]}")
    snapshot, _ = artifact.read(store, snapshot_path(number), Snapshot)
    if snapshot.number != number:
        raise ArtifactRefusedError(f"{snapshot_path(number)} says it is snapshot {snapshot.number}; restore it")
    return snapshot


def live_snapshot(store: Store) -> Snapshot | None:
    """Returns the snapshot that answers now, or None before the first one."""
    numbers = snapshot_numbers(store)
    return read_snapshot(store, numbers[-1]) if numbers else None


def read_encoder(store: Store, snapshot: Snapshot) -> EncoderSpec:
    """Returns the snapshot's encoder; raises ArtifactRefusedError unless it is the one that the snapshot names."""
    spec, digest = encoder_spec.read_spec(store, snapshot.encoder_id)
    if digest != snapshot.encoder_digest:
        raise ArtifactRefusedError(
            f"encoder {snapshot.encoder_id} has the digest {digest[:12]}…, snapshot {snapshot.number} names "
            f"{snapshot.encoder_digest[:12]}…; restore encoder.json from a copy"
        )
    return spec


def publish(store: Store, snapshot: Snapshot) -> None:
    """Makes the snapshot live by creating its number; raises PublishRaceLostError if somebody else has it."""
    path, data = snapshot_path(snapshot.number), artifact.to_json(snapshot)
    # A runner, or a request that timed out, may try again what had succeeded.
    if not store.create(path, data) and store.read(path) != data:
        raise PublishRaceLostError(
            f"snapshot {snapshot.number} was published by somebody else meanwhile; nothing is lost: run again"
        )


def roll_back(store: Store, number: int | None = None) -> Snapshot:
    """Publishes the content of an earlier snapshot (the live one's parent by default) as a new snapshot.

    Its parent is the parent of that content, so that rolling back again goes further back. Raises InputNotFoundError
    or ArtifactRefusedError if the encoder or a segment of the target is not what it names any more.
    """
    live = read_snapshot(store)
    if number is None and live.parent is None:
        raise InputNotFoundError(f"snapshot {live.number} has no parent to roll back to; expected --to NUMBER")
    target = read_snapshot(store, live.parent if number is None else number)
    read_encoder(store, target)
    for reference in target.segments:
        read_segment(store, reference)
    snapshot = replace(
        target,
        number=live.number + 1,
        created_at=artifact.now(),
        reason=f"rollback to {target.number}",
        publisher=uuid.uuid4().hex,
    )
    publish(store, snapshot)
    return snapshot
