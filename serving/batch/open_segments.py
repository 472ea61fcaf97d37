"""Opens a group of a snapshot's segments, as many as fit into one machine's memory."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from foundation.store import artifact
from foundation.store.files import Store
from serving.batch.described import DescribedSnapshot
from serving.batch.prefixes import prefixes_of
from serving.search.hidden import Hidden, without_photos
from serving.search.near_features import PLACE_BITS, SEGMENT_SHIFT
from serving.search.segment import OpenSegment, open_segment
from serving.search.segment_group import SegmentGroup
from serving.search.segment_tables import open_tables


class OpenSegments(SegmentGroup):
    """Some segments of a snapshot, ready to search; a context manager, since a bucket's files are copied locally.

    `numbers` are their places in the snapshot's list, ascending, `gone` the contents that no photo has any more
    (`find_gone`), and `verify` checks their files. Raises ArtifactRefusedError if any file differs from its digest, or
    a retraction or an ignored photo is damaged.
    """

    def __init__(
        self,
        store: Store,
        described: DescribedSnapshot,
        numbers: Sequence[int],
        *,
        gone: np.ndarray,
        verify: Callable[..., Any] = artifact.verify_files,
    ):
        with ExitStack() as stack:
            chosen = [described.segments[number] for number in numbers]
            segments = [stack.enter_context(open_segment(store, one, verify=verify)) for one in chosen]
            super().__init__(segments, Hidden(store, segments, gone), numbers)
            # Nothing failed: from here on the segments live until `close`.
            self._stack = stack.pop_all()

    @property
    def numbered(self) -> list[tuple[int, OpenSegment]]:
        """The segments with their numbers, ascending."""
        return list(zip(self._numbers, self._segments, strict=True))

    def prefixes(self, features: np.ndarray) -> np.ndarray:
        """Returns the first bytes of the contents that near features lie in: uint32, of the shape of `features`."""
        found = np.zeros(features.shape, np.uint32)
        for number, segment in self.numbered:
            own = features >> SEGMENT_SHIFT == number
            rows = (features[own] - (number << SEGMENT_SHIFT)) >> PLACE_BITS
            found[own] = prefixes_of(segment.contents(rows))
        return found

    def __enter__(self) -> "OpenSegments":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Removes what was copied from a bucket."""
        self._stack.close()


def find_gone(store: Store, described: DescribedSnapshot) -> np.ndarray:
    """Returns the contents of a snapshot that some photo went from and none has any more, S32 ascending.

    Found once for a job, and handed to all groups (`np.save`): what one segment holds, others may say to be gone.
    Opens the tables of all segments, which are mapped, and reads those rows that photos went from; nothing is opened if
    no segment says more than its rows.
    """
    if not any(segment.has_changes for segment in described.segments):
        return np.empty(0, "S32")
    with ExitStack() as stack:
        return without_photos([stack.enter_context(open_tables(store, one)) for one in described.segments])
