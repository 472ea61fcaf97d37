"""Opens a snapshot read-only: every file checked, then vectors in, contents out, and the places that hold them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import numpy as np

from foundation.photos.compressed_features import CompressedFeatures
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence
from foundation.store.snapshots import Snapshot, read_contents, read_snapshot
from foundation.vectors import similarity
from serving.search.hidden import Hidden
from serving.search.ignored import IgnoredBank
from serving.search.local_candidates import descriptors_of, local_candidates
from serving.search.local_index import Stored
from serving.search.segment import open_segment
from serving.search.segment_group import SegmentGroup


class Place(NamedTuple):
    """Where a snapshot holds a content: a row of one of its segments, by its place in the snapshot's list."""

    segment: int
    row: int


class Voted(NamedTuple):
    """A photo that features of a query voted for: where it is held, the number of their view, and their weight."""

    place: Place
    view: int
    votes: float


class OpenSnapshot(SegmentGroup):
    """The segments of one snapshot, ready to search; a context manager, since a bucket's files are copied locally.

    `described` is what the store says of each segment.
    Contents that no photo has any more, retracted and ignored ones are not in it. Raises InputNotFoundError without a
    snapshot, ArtifactRefusedError if any file differs from its digest, or a retraction or an ignored photo is damaged
    or missing.
    """

    def __init__(self, store: Store, number: int | Snapshot | None = None):
        # One that was not published yet is opened as well, so that it can be judged before it is.
        self.snapshot = number if isinstance(number, Snapshot) else read_snapshot(store, number)
        self.spec, self.described = read_contents(store, self.snapshot)
        with ExitStack() as stack:
            segments = [stack.enter_context(open_segment(store, one)) for one in self.described]
            super().__init__(segments, Hidden(store, segments), range(len(segments)))
            # Nothing failed: from here on the segments live until `close`.
            self._stack = stack.pop_all()

    def __enter__(self) -> "OpenSnapshot":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Removes what was copied from a bucket."""
        self._stack.close()

    @property
    def has_local_features(self) -> bool:
        """Whether any of its segments holds local features: queries are then decoded as photos were that have some."""
        return any(segment.local for segment in self._segments)

    @property
    def ignored(self) -> IgnoredBank:
        """What must not match wherever a query shows it, as of the last refresh."""
        return self._hidden.ignored

    @contextmanager
    def without(self, contents: Iterable[bytes]) -> Iterator[None]:
        """Finds everything but these contents (32 bytes each) until it ends, whoever asks."""
        self._hidden.pass_over(contents)
        try:
            yield
        finally:
            self._hidden.pass_over(())

    def voted(self, views: Sequence[CompressedFeatures], k: int) -> list[Voted]:
        """Returns the k photos with the most votes of a query's features.

        A content that lies in several segments comes several times.
        """
        near = self.near_features(descriptors_of(views))
        return [Voted(Place(one.segment, one.row), one.view, one.votes) for one in local_candidates(views, near, k)]

    def stored(self, place: Place) -> Stored | None:
        """Returns what is kept of a photo to verify it with, if anything is."""
        local = self._segments[place.segment].local
        return local.stored(place.row) if local else None

    def contents(self, places: Sequence[Place]) -> list[bytes]:
        """Returns the content hash (32 bytes) of each place."""
        return [self._segments[one.segment].content(one.row) for one in places]

    def places(self, contents: Sequence[bytes]) -> list[list[Place]]:
        """Returns, per content hash (32 bytes), every place that holds exactly these bytes; none of a hidden one."""
        found: list[list[Place]] = [[] for _ in contents]
        # Two runs at the same time may have met the same new photo: then a content lies in several segments.
        for number, (segment, mask) in enumerate(zip(self._segments, self._hidden.masks, strict=True)):
            for places, row in zip(found, segment.find(contents), strict=True):
                if row is not None and not (mask is not None and mask[row]):
                    places.append(Place(number, row))
        return found

    def occurrences(self, content: bytes) -> list[Occurrence]:
        """Returns the photos that have a content (32 bytes) now, over all segments, first published first.

        None is left of a hidden one.
        """
        return self._hidden.shown(content, (one for segment in self._segments for one in segment.occurrences(content)))

    def left_of(self, content: bytes, occurrences: Sequence[Occurrence]) -> list[Occurrence]:
        """Returns what may still be shown of the occurrences that a content (32 bytes) had when it was found.

        What was retracted or ignored since is left out, whichever snapshot it was found in.
        """
        return self._hidden.shown(content, occurrences)

    def sample(self, count: int, generator: np.random.Generator) -> list[bytes]:
        """Returns so many of the contents that may be found (32 bytes each), chosen at random, or all of them."""
        shown = [segment.shown(mask) for segment, mask in zip(self._segments, self._hidden.masks, strict=True)]
        starts = np.cumsum([0, *map(len, shown)])
        chosen = np.sort(generator.permutation(starts[-1])[:count])
        segments = np.searchsorted(starts, chosen, side="right") - 1
        rows = zip(segments.tolist(), (chosen - starts[segments]).tolist(), strict=True)
        return list(dict.fromkeys(self._segments[number].content(shown[number][row]) for number, row in rows))

    def similarity(self, vector: np.ndarray, place: Place) -> float:
        """Returns how near a vector, float32 [dimension], is to that of a photo, by the encoder's distance."""
        return float(similarity(vector[None], self.vectors([place]), self.spec.distance)[0, 0])

    def vectors(self, places: Sequence[Place]) -> np.ndarray:
        """Returns the vectors that some photos are found by: float32 [places, dimension], at least one."""
        return np.stack([self._segments[place.segment].vector(place.row) for place in places])

    def photo(self, place: Place) -> dict[str, Any]:
        """Returns what the segment says of a photo: its own columns are right; whose it is, `occurrences` says."""
        return self._segments[place.segment].photo(place.row)
