"""CONTRACT: the snapshots; publishing is creating the next number, which only one can do."""

import uuid
from dataclasses import dataclass, replace
from typing import ClassVar

from foundation.errors import ArtifactRefusedError, InputNotFoundError, PublishRaceLostError
from foundation.store import artifact
from foundation.store.encoders import EncoderSpec, read_spec
from foundation.store.files import Store
from foundation.store.segments import SegmentReference, read_segment

SNAPSHOTS = "snapshots"


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
    spec, digest = read_spec(store, snapshot.encoder_id)
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
