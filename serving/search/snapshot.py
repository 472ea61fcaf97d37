"""Opens a snapshot read-only: every file checked, then vectors in, neighbours out."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from foundation.errors import ArtifactRefusedError
from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.segments import SegmentReference, read_segment, segment_directory
from foundation.store.snapshots import Snapshot, read_snapshot
from serving.search.segment import OpenSegment, required_files, unlisted_files


@dataclass(frozen=True)
class Neighbour:
    """One row of one segment, near a query."""

    content: bytes
    similarity: float
    segment: int
    row: int


class OpenSnapshot:
    """The segments of one snapshot, ready to search; a context manager, since a bucket's files are copied locally.

    Raises InputNotFoundError without a snapshot, ArtifactRefusedError if any file differs from its digest.
    """

    def __init__(self, store: Store, number: int | None = None):
        self.snapshot: Snapshot = read_snapshot(store, number)
        self._stack = ExitStack()
        self._segments = [self._open(store, reference) for reference in self.snapshot.segments]

    def __enter__(self) -> "OpenSnapshot":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def search(self, vectors: np.ndarray, k: int) -> list[list[Neighbour]]:
        """Returns, per vector, the k nearest distinct contents over all segments, best first.

        vectors: float32 [queries, dimension].
        """
        found: list[list[Neighbour]] = [[] for _ in range(len(vectors))]
        for number, segment in enumerate(self._segments):
            rows, similarities = segment.search(vectors, k)
            contents = segment.contents(np.maximum(rows, 0))
            for query, row in zip(*np.nonzero(rows >= 0), strict=True):
                content = bytes(contents[query, row]).ljust(32, b"\0")
                found[query].append(Neighbour(content, float(similarities[query, row]), number, int(rows[query, row])))
        return [_distinct(neighbours, k) for neighbours in found]

    def find(self, contents: Sequence[bytes]) -> list[list[Neighbour]]:
        """Returns, per content hash, every row that holds exactly these bytes."""
        found: list[list[Neighbour]] = [[] for _ in contents]
        for number, segment in enumerate(self._segments):
            for query, row in enumerate(segment.find(contents)):
                if row is not None:
                    found[query].append(Neighbour(contents[query], 1.0, number, row))
        return found

    def vectors(self, neighbours: Sequence[Neighbour]) -> np.ndarray:
        """Returns the vectors that the photos are found by: float32 [neighbours, dimension], at least one."""
        return np.stack([self._segments[one.segment].vector(one.row) for one in neighbours])

    def photo(self, neighbour: Neighbour) -> dict[str, Any]:
        """Returns the photo's columns; `occurrences` are those of its segment."""
        return self._segments[neighbour.segment].photo(neighbour.row)

    def _open(self, store: Store, reference: SegmentReference) -> OpenSegment:
        segment = read_segment(store, reference)
        if segment.encoder_digest != self.snapshot.encoder_digest:
            raise ArtifactRefusedError(
                f"segment {segment.segment_id} was built with the encoder digest {segment.encoder_digest[:12]}…, "
                f"snapshot {self.snapshot.number} names {self.snapshot.encoder_digest[:12]}…; index again"
            )
        prefix = segment_directory(segment.segment_id)
        directory: Path = self._stack.enter_context(store.local_copy(prefix, list(segment.files)))
        artifact.verify_files(Store(directory), ".", segment.files, original=prefix)
        if missing := required_files(segment) - set(segment.files):
            raise ArtifactRefusedError(f"{prefix}/segment.json does not list {sorted(missing)}; index again")
        if unlisted := unlisted_files(directory, segment):
            raise ArtifactRefusedError(f"{prefix} holds files that segment.json does not list: {unlisted}; remove them")
        return OpenSegment(directory, segment)


def _distinct(neighbours: list[Neighbour], k: int) -> list[Neighbour]:
    # Two segments may hold the same content: the order by content makes ties stable.
    ordered = sorted(neighbours, key=lambda one: (-one.similarity, one.content))
    return list({one.content: one for one in reversed(ordered)}.values())[::-1][:k]
