"""Searches some open segments of a snapshot together, all or a part of them."""

from collections.abc import Sequence

import numpy as np

from serving.search.hidden import Hidden
from serving.search.merge import Nearest, merge
from serving.search.near_features import NearFeatures, SearchedSegment, near_features
from serving.search.segment import OpenSegment


class SegmentGroup:
    """Open segments, what must not be found in them, and of each its number in the snapshot, ascending."""

    def __init__(self, segments: Sequence[OpenSegment], hidden: Hidden, numbers: Sequence[int]):
        self._segments = segments
        self._hidden = hidden
        self._numbers = numbers

    @property
    def lists_entries(self) -> int:
        """How many entries the lists of what is retracted and ignored had when they were looked up; they only grow."""
        return self._hidden.entries

    @property
    def lists_age_seconds(self) -> float:
        """How long ago it was looked up what is retracted and ignored."""
        return self._hidden.age_seconds

    def refresh(self, *, at_once: bool = False) -> None:
        """Hides what was retracted or ignored meanwhile, if the last look was some time ago; call it before each query.

        With `at_once` it looks in any case. Raises ArtifactRefusedError if either list cannot be read: then nothing may
        be answered.
        """
        self._hidden.refresh(at_once=at_once)

    def load_trees(self) -> None:
        """Loads the trees over local features, for whoever will answer many queries, and wants none of them to wait."""
        for segment in self._segments:
            if segment.local:
                segment.local.load_trees()

    def search(self, vectors: np.ndarray, k: int) -> Nearest:
        """Returns, per vector, the k nearest distinct contents over all segments; float32 [queries, dimension]."""
        # A snapshot may list no segment: it answers, and finds nothing.
        if not self._segments:
            return Nearest(np.empty((len(vectors), 0), np.float32), np.empty((len(vectors), 0), "S32"))
        masks = self._hidden.masks
        found = [one.nearest(vectors, k, hidden=mask) for one, mask in zip(self._segments, masks, strict=True)]
        return merge(found, k)

    def near_features(self, descriptors: np.ndarray) -> NearFeatures:
        """Returns the features of all segments that are near to those of a query, int8 [queries, 64]."""
        found = zip(self._numbers, self._segments, self._hidden.masks, strict=True)
        searched = [SearchedSegment(number, one.local, mask) for number, one, mask in found if one.local]
        return near_features(searched, descriptors)
