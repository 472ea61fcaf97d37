"""Finds the features of an archive that are nearest to those of a query, segment by segment."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from foundation.vectors import sort_keys
from serving.search.descriptor_index import nearest_of
from serving.search.descriptor_tree import Neighbours
from serving.search.local_index import LocalIndex

# Neighbours of each feature of a query: more cost time, and find the same photos.
NEIGHBOURS = 8
# A feature is named by one number: its segment's, its photo's row there, and its place among those of its photo. Names
# are in the order of segments and rows.
PLACE_BITS, ROW_BITS = 16, 32
SEGMENT_SHIFT = PLACE_BITS + ROW_BITS
# What is merged at a time may have so many columns.
COLUMN_BITS = 12


class SearchedSegment(NamedTuple):
    """The local features of a segment, its number in the snapshot, and its `hidden` rows: bool [photos], or None."""

    number: int
    local: LocalIndex
    hidden: np.ndarray | None = None


class NearFeatures(NamedTuple):
    """Features of an archive near those of a query, best first, and what their votes need; [queries, NEIGHBOURS] all.

    `features` int64 names them, -1 for none; `similarities` float32, -inf for none; `scales` and `angles` are uint16,
    packed as in `foundation.photos.local_features_bytes`.
    """

    features: np.ndarray
    similarities: np.ndarray
    scales: np.ndarray
    angles: np.ndarray


def near_features(segments: Sequence[SearchedSegment], descriptors: np.ndarray) -> NearFeatures:
    """Returns the nearest features of some segments, in the order of their numbers; descriptors: int8 [queries, 64]."""
    # ScaNN refuses a search for nothing.
    segments = segments if len(descriptors) else ()
    # As if the segments were one: in a small segment everything is far away but for what is near by chance, and that
    # would count much there.
    near = nearest_of([_none(len(descriptors)), *(_neighbours(one, descriptors) for one in segments)], NEIGHBOURS)
    features, (scales, angles) = np.full(near.places.shape, -1), np.zeros((2, *near.places.shape), np.uint16)
    # Of the few that are left, keypoints are read.
    for number, local, _ in segments:
        own = near.places >> SEGMENT_SHIFT == number
        places = near.places[own] - (number << SEGMENT_SHIFT)
        rows, within = local.rows_and_places(places)
        features[own] = (number << SEGMENT_SHIFT) + (rows << PLACE_BITS) + within
        scales[own], angles[own] = local.packed_keypoints(places)[:, 2:].T
    return NearFeatures(features, near.similarities, scales, angles)


def _none(queries: int) -> Neighbours:
    shape = queries, NEIGHBOURS
    return Neighbours(np.full(shape, -1), np.full(shape, -np.inf, np.float32))


def _neighbours(segment: SearchedSegment, descriptors: np.ndarray) -> Neighbours:
    places, similarities = segment.local.neighbours(descriptors, NEIGHBOURS, hidden=segment.hidden)
    return Neighbours(np.where(places < 0, -1, places + (segment.number << SEGMENT_SHIFT)), similarities)


def nearest_columns(features: np.ndarray, similarities: np.ndarray) -> np.ndarray:
    """Returns which of at most 4,096 columns hold the nearest features, int64 [queries, NEIGHBOURS], best first."""
    # Of equally near features the one of the earlier segment comes first, and within a segment the order stays.
    segments = (features >> SEGMENT_SHIFT) + 1
    keys = sort_keys(similarities, segments << COLUMN_BITS | np.arange(features.shape[1]))
    best = np.sort(np.partition(keys, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS], axis=1)
    return best & ((1 << COLUMN_BITS) - 1)
