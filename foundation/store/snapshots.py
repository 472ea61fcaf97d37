"""CONTRACT: the snapshots; publishing is creating the next number, which only one can do.

A snapshot is the head of the chain of digests: it names those of its encoder and its segments, and nobody names its
own. It therefore carries the digest of its own content, and every reader checks it. That finds damage, not intent:
whoever may write to the store can write another snapshot with another digest. A snapshot that was published before
there was that digest is still read; in it the encoder, the segments and their counts are checked against what they
name, and a change of its time, reason, parent or publisher, or a segment taken out of its list, goes unnoticed.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from foundation.checks import require_digest
from foundation.errors import (
    ArtifactRefusedError,
    InputNotFoundError,
    PublishRaceLostError,
    UnknownVersionError,
)
from foundation.store import artifact
from foundation.store.artifact import Timestamp
from foundation.store.encoders import EncoderSpec, read_spec
from foundation.store.files import Store
from foundation.store.segments import Segment, SegmentReference, read_segment

SNAPSHOTS = "snapshots"
CONTENT_DIGEST = "content_sha256"
RESTORE = (
    "restore it from a copy, or publish an earlier one again: `firstseen repair`, or `firstseen rollback --to NUMBER`"
)


@dataclass(frozen=True, kw_only=True)
class ArchiveState:
    """Up to which run a snapshot knows an archive: its id and digest, and how many photos and contents it has."""

    run_id: str
    digest: str
    photos: int
    contents: int


def _upgrade_1(raw: dict[str, Any]) -> dict[str, Any]:
    segments = raw["segments"]
    counts = {name: sum(one[key] for one in segments) for name, key in (("photos", "photos"), ("contents", "rows"))}
    return {**raw, **counts, "archives": {}, "left_out": []}


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The list of segments that is live, all of one encoder; the highest number counts.

    `archives` says of each archive, by its uri, up to which run it is known; `left_out` are runs that a rollback or an
    operator left out, which nobody takes up again by himself. `photos` can be found, and have so many distinct
    `contents` in each archive, added up; a snapshot of version 1 counts both per segment, and names no archive.

    `parent` is the snapshot that a rollback goes back to: the one whose content this one was built upon, or, if both
    answer the same, the parent of that. `publisher` is random: it tells the retry of a
    publish from a lost race. `content_sha256`, which `publish` writes, is the digest of all else in the file: it says
    nothing more, and two snapshots of the same content are equal with or without it.
    """

    __pydantic_config__: ClassVar = artifact.CONTRACT
    upgrades: ClassVar[artifact.Upgrades] = {1: _upgrade_1}

    number: int
    parent: int | None
    created_at: Timestamp
    reason: str
    encoder_id: str
    encoder_digest: str
    segments: list[SegmentReference]
    archives: dict[str, ArchiveState]
    left_out: list[str]
    photos: int
    contents: int
    publisher: str
    content_sha256: str | None = field(default=None, compare=False)
    contract_version: int = 2

    @property
    def archives_with_photos(self) -> set[str]:
        """The URIs of the archives that have any photo: one that was taken out has none."""
        return {uri for uri, state in self.archives.items() if state.photos}


def snapshot_path(number: int) -> str:
    """Returns the path of a snapshot in the store."""
    return f"{SNAPSHOTS}/{number}.json"


def snapshot_numbers(store: Store) -> list[int]:
    """Returns the numbers of all snapshots, ascending; the last one is live."""
    return store.numbers(SNAPSHOTS)


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
    path = snapshot_path(number)
    data = store.read(path)
    snapshot = artifact.from_json(data, Snapshot, path=path, remedy=RESTORE)
    if snapshot.content_sha256 is not None:
        found, expected = _content_digest(data), snapshot.content_sha256
        require_digest(f"the content of {path}", found, expected=expected, named_by=CONTENT_DIGEST, remedy=RESTORE)
    if snapshot.number != number:
        raise ArtifactRefusedError(f"{path} says it is snapshot {snapshot.number}; {RESTORE}")
    return snapshot


def _content_digest(data: bytes) -> str:
    # The digest is taken over the object as it was read, so that it covers what a later program added to it.
    raw = json.loads(data)
    return artifact.digest_of(artifact.canonical_json({name: raw[name] for name in raw if name != CONTENT_DIGEST}))


def newest_whole_snapshot(store: Store) -> tuple[Snapshot | None, dict[int, str]]:
    """Returns the newest snapshot that can be read, and why each later one cannot, by its number.

    Raises UnknownVersionError for one that is whole and of a later version: nobody may pass it over.
    """
    damaged: dict[int, str] = {}
    for number in reversed(snapshot_numbers(store)):
        try:
            return read_snapshot(store, number), damaged
        except UnknownVersionError as error:
            if _is_sealed(store.read(snapshot_path(number))):
                raise
            damaged[number] = str(error)
        except ArtifactRefusedError as error:
            damaged[number] = str(error)
    return None, damaged


def _is_sealed(data: bytes) -> bool:
    raw = json.loads(data)
    return raw.get(CONTENT_DIGEST) == _content_digest(data)


def live_snapshot(store: Store) -> Snapshot | None:
    """Returns the snapshot that answers now, or None before the first one."""
    numbers = snapshot_numbers(store)
    return read_snapshot(store, numbers[-1]) if numbers else None


def read_encoder(store: Store, snapshot: Snapshot) -> EncoderSpec:
    """Returns the snapshot's encoder; raises ArtifactRefusedError unless it is the one that the snapshot names."""
    spec, digest = read_spec(store, snapshot.encoder_id)
    require_digest(
        f"encoder {snapshot.encoder_id}",
        digest,
        expected=snapshot.encoder_digest,
        named_by=f"snapshot {snapshot.number}",
        remedy="restore encoder.json from a copy",
    )
    return spec


def read_contents(store: Store, snapshot: Snapshot) -> tuple[EncoderSpec, list[Segment]]:
    """Returns the snapshot's encoder and segments.

    Raises ArtifactRefusedError unless each is the one that the snapshot names, and the segments hold vectors of that
    encoder, as it gives them and as it says that they compare.
    """
    spec = read_encoder(store, snapshot)
    segments = [read_segment(store, reference) for reference in snapshot.segments]
    for segment in segments:
        _require_encoder(segment, snapshot, spec)
    return spec, segments


def _require_encoder(segment: Segment, snapshot: Snapshot, spec: EncoderSpec) -> None:
    remedy = "publish a snapshot without it again: `firstseen rollback --to NUMBER`"
    require_digest(
        f"the encoder of segment {segment.segment_id}",
        segment.encoder_digest,
        expected=snapshot.encoder_digest,
        named_by=f"snapshot {snapshot.number}",
        remedy=remedy,
    )
    if (segment.dimension, segment.distance) != (spec.dimension, spec.distance):
        # A search by the wrong distance answers without an error, only wrongly.
        raise ArtifactRefusedError(
            f"segment {segment.segment_id} holds vectors of {segment.dimension} numbers with the distance "
            f"{segment.distance}, encoder {spec.encoder_id} gives {spec.dimension} with {spec.distance}; {remedy}"
        )


def publish(store: Store, snapshot: Snapshot) -> None:
    """Makes the snapshot live by creating its number; raises PublishRaceLostError if somebody else has it."""
    sealed = replace(snapshot, content_sha256=_content_digest(artifact.to_json(snapshot)))
    path, data = snapshot_path(snapshot.number), artifact.to_json(sealed)
    # A runner, or a request that timed out, may try again what had succeeded.
    if not store.create(path, data) and store.read(path) != data:
        raise PublishRaceLostError(
            f"snapshot {snapshot.number} was published by somebody else meanwhile; nothing is lost: run again"
        )
