"""Answers what is asked of a snapshot from what was gathered of it for some queries."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from foundation.photos.compressed_features import CompressedFeatures
from foundation.store.encoders import EncoderSpec
from foundation.store.occurrences import Occurrence
from foundation.vectors import similarity
from serving.batch.described import DescribedSnapshot
from serving.batch.fetched import Fetched
from serving.search.hidden import HiddenContents
from serving.search.local_candidates import LocalCandidate
from serving.search.local_index import Stored
from serving.search.snapshot import Place, Voted


class Gathered:
    """What all segments of a snapshot said of what some queries want, by content; threads may share it."""

    def __init__(self, described: DescribedSnapshot, fetched: Fetched, lists: HiddenContents):
        self.described = described
        self.fetched = fetched
        self.lists = lists
        self.places: dict[bytes, list[Place]] = {}
        for place in sorted(fetched.photos):
            self.places.setdefault(fetched.photos[place]["content_sha256"], []).append(place)
        self.said: dict[bytes, list[Occurrence]] = {}
        # What a later segment says of a photo corrects an earlier one.
        for number, content in sorted(fetched.said):
            self.said.setdefault(content, []).extend(fetched.said[number, content])


class GatheredSnapshot:
    """A snapshot as far as one query asks for it: a `SearchedSnapshot`; what was not gathered, it does not hold.

    `voted` are the photos with the most votes of its features.
    """

    def __init__(self, gathered: Gathered, voted: Sequence[LocalCandidate]):
        self._gathered = gathered
        self._voted = voted
        self._fetched = gathered.fetched

    @property
    def spec(self) -> EncoderSpec:
        """The encoder of its vectors."""
        return self._gathered.described.spec

    @property
    def has_local_features(self) -> bool:
        """Whether any segment of the snapshot holds local features."""
        return self._gathered.described.has_local_features

    def voted(self, _views: Sequence[CompressedFeatures], k: int) -> list[Voted]:
        """Returns the k photos with the most votes of the query's features, counted when all were gathered."""
        return [Voted(Place(one.segment, one.row), one.view, one.votes) for one in self._voted[:k]]

    def stored(self, place: Place) -> Stored | None:
        """Returns what is kept of a photo to verify it with, if anything is."""
        return self._fetched.stored.get(place)

    def contents(self, places: Sequence[Place]) -> list[bytes]:
        """Returns the content hash (32 bytes) of each place."""
        return [self._fetched.photos[place]["content_sha256"] for place in places]

    def places(self, contents: Sequence[bytes]) -> list[list[Place]]:
        """Returns, per content hash (32 bytes), every place that holds exactly these bytes.

        That of a hidden content too, whose candidates come to nothing: it has no occurrences.
        """
        return [self._gathered.places.get(one, []) for one in contents]

    def occurrences(self, content: bytes) -> list[Occurrence]:
        """Returns the photos that have a content (32 bytes) now, first published first; none of a hidden one."""
        return self._gathered.lists.shown(content, self._gathered.said.get(content, []))

    def similarity(self, vector: np.ndarray, place: Place) -> float:
        """Returns how near a vector, float32 [dimension], is to that of a photo, by the encoder's distance."""
        return float(similarity(vector[None], self._fetched.vectors[place][None], self.spec.distance)[0, 0])

    def photo(self, place: Place) -> dict[str, Any]:
        """Returns what the segment says of a photo, as far as answers do."""
        return self._fetched.photos[place]
