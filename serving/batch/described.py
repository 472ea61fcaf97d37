"""Describes a snapshot without opening any of its segments, for whoever opens some of them at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from foundation.store.encoders import EncoderSpec
from foundation.store.files import Store
from foundation.store.segments import Segment
from foundation.store.snapshots import Snapshot, read_contents, read_snapshot


@dataclass(frozen=True)
class DescribedSnapshot:
    """A snapshot, its encoder, and its segments in their order: a segment's number is its place there."""

    snapshot: Snapshot
    spec: EncoderSpec
    segments: Sequence[Segment]

    @classmethod
    def read(cls, store: Store, number: int | Snapshot | None = None) -> "DescribedSnapshot":
        """Reads the descriptions of the live snapshot, of the numbered one, or of one that is not published.

        Raises InputNotFoundError without a snapshot, ArtifactRefusedError if a description has another digest.
        """
        snapshot = number if isinstance(number, Snapshot) else read_snapshot(store, number)
        return cls(snapshot, *read_contents(store, snapshot))

    @property
    def has_local_features(self) -> bool:
        """Whether any of its segments holds local features: queries are then decoded as photos were that have some."""
        return any(segment.local for segment in self.segments)
