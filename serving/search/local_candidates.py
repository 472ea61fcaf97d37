"""Finds photos by their local features: what is near to a feature of the query votes for the photo that it lies in."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from foundation.photos.compressed_features import CompressedFeatures
from serving.search.descriptor_index import Neighbours, nearest_of
from serving.search.local_index import LocalIndex
from serving.search.votes import Pairs, count_votes

# Neighbours of each feature of a query: more cost time, and find the same photos.
NEIGHBOURS = 8
# What a vote counts at least: in an archive of fewer features than neighbours, the last of them is the only one.
LEAST_WEIGHT = 0.002
# A neighbour this near counts a little, however near the others are: of a photo with more copies than a feature has
# neighbours, all are equally near, and none would be found.
NEAR = 0.9
NEAR_SHARE = 0.1


class LocalCandidate(NamedTuple):
    """A photo that may show what a query shows: its segment's place among those searched, and its row there.

    `view` is the place of the query's view that has most of its `votes`.
    """

    segment: int
    row: int
    view: int
    votes: float


def local_candidates(
    segments: Sequence[LocalIndex],
    views: Sequence[CompressedFeatures],
    k: int,
    *,
    hidden: Sequence[np.ndarray | None] | None = None,
) -> list[LocalCandidate]:
    """Returns the k photos of some segments with the most votes of a query, best first; fewer if fewer have any.

    `views` are the query's features as they are, mirrored, inverted …; a photo has the votes of its best view. For
    `hidden` rows, bool [photos] of each segment or None for none, nothing votes.
    """
    if not segments or not sum(map(len, views)):
        return []
    archive = _Joined(segments, hidden or [None] * len(segments))
    near = archive.neighbours(np.concatenate([view.descriptors for view in views]))
    votes = count_votes(_pairs(archive, views, near), k)
    numbers, rows = archive.split(votes.photos)
    return list(map(LocalCandidate, numbers.tolist(), rows.tolist(), votes.views.tolist(), votes.votes.tolist()))


class _Joined:
    """Some segments as if they were one: photos and places are counted through all of them."""

    def __init__(self, segments: Sequence[LocalIndex], hidden: Sequence[np.ndarray | None]):
        self._segments = segments
        self._hidden = hidden
        self._places = np.cumsum([0, *(segment.features for segment in segments)])
        self._photos = np.cumsum([0, *(segment.photos for segment in segments)])

    def neighbours(self, descriptors: np.ndarray) -> Neighbours:
        # The neighbours of all segments are weighed together: in a small segment everything is far away but for what
        # is near by chance, and that would count much there.
        found = []
        for segment, first, hidden in zip(self._segments, self._places[:-1], self._hidden, strict=True):
            places, similarities = segment.neighbours(descriptors, NEIGHBOURS, hidden=hidden)
            found.append(Neighbours(np.where(places < 0, -1, places + first), similarities))
        return nearest_of(found, NEIGHBOURS)

    def features(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the photos that features lie in, int64 [n], and their keypoints, float32 [n, 4]."""
        photos, keypoints = np.empty(len(places), np.int64), np.empty((len(places), 4), np.float32)
        owners = np.searchsorted(self._places, places, side="right") - 1
        for number, segment in enumerate(self._segments):
            own = owners == number
            within = places[own] - self._places[number]
            photos[own] = segment.rows(within) + self._photos[number]
            keypoints[own] = segment.keypoints(within)
        return photos, keypoints

    def split(self, photos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the place of the segment and the row in it of each photo, int64 [n]."""
        numbers = np.searchsorted(self._photos, photos, side="right") - 1
        return numbers, photos - self._photos[numbers]


def _pairs(archive: _Joined, views: Sequence[CompressedFeatures], near: Neighbours) -> Pairs:
    """Returns who votes for what, and how much it counts."""
    features, columns = np.nonzero(near.places >= 0)
    places = near.places[features, columns]
    photos, keypoints = archive.features(places)
    asked = np.concatenate([view.keypoints for view in views])[features]
    numbers = np.repeat(np.arange(len(views)), [len(view) for view in views])
    return Pairs(
        features=features,
        places=places,
        photos=photos,
        views=numbers[features],
        weights=_weights(near)[features, columns],
        turns=(keypoints[:, 3] - asked[:, 3]) / 360,
        octaves=np.log2(keypoints[:, 2] / asked[:, 2]),
    )


def _weights(near: Neighbours) -> np.ndarray:
    """Returns what each neighbour counts, float32 [queries, k]: how far it is above the last one, and a little more.

    Where all of them are about equally near, the feature is one of many photos, and tells little.
    """
    last = np.where(near.places < 0, np.inf, near.similarities).min(axis=1, keepdims=True, initial=np.inf)
    return near.similarities - last + NEAR_SHARE * np.maximum(near.similarities - NEAR, 0) + LEAST_WEIGHT
