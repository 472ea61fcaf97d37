"""Finds photos by their local features: what is near to a feature of the query votes for the photo that it lies in."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from foundation.photos.compressed_features import CompressedFeatures
from serving.search.local_index import unpack
from serving.search.near_features import PLACE_BITS, ROW_BITS, NearFeatures
from serving.search.votes import Pairs, count_votes

# What a vote counts at least: in an archive of fewer features than neighbours, the last of them is the only one.
LEAST_WEIGHT = 0.002
# A neighbour this near counts a little, however near the others are: of a photo with more copies than a feature has
# neighbours, all are equally near, and none would be found.
NEAR = 0.9
NEAR_SHARE = 0.1


class LocalCandidate(NamedTuple):
    """A photo that may show what a query shows: the number of its segment, and its row there.

    `view` is the place of the query's view that has most of its `votes`.
    """

    segment: int
    row: int
    view: int
    votes: float


def descriptors_of(views: Sequence[CompressedFeatures]) -> np.ndarray:
    """Returns the descriptors that are searched for a query, those of its views one after the other: int8 [n, 64]."""
    return np.concatenate([view.descriptors for view in views])


def local_candidates(views: Sequence[CompressedFeatures], near: NearFeatures, k: int) -> list[LocalCandidate]:
    """Returns the k photos with the most votes of a query, best first; fewer if fewer have any.

    `views` are the query's features as they are, mirrored, inverted …; a photo has the votes of its best view. `near`
    is what all the segments have near to `descriptors_of` these.
    """
    if not (near.features >= 0).any():
        return []
    votes = count_votes(_pairs(views, near), k)
    numbers, rows = np.divmod(votes.photos, 1 << ROW_BITS)
    return list(map(LocalCandidate, numbers.tolist(), rows.tolist(), votes.views.tolist(), votes.votes.tolist()))


def _pairs(views: Sequence[CompressedFeatures], near: NearFeatures) -> Pairs:
    """Returns who votes for what, and how much it counts."""
    features, columns = np.nonzero(near.features >= 0)
    places = near.features[features, columns]
    asked = np.concatenate([view.keypoints for view in views])[features]
    numbers = np.repeat(np.arange(len(views)), [len(view) for view in views])
    packed = np.zeros((len(places), 4), np.uint16)
    packed[:, 2], packed[:, 3] = near.scales[features, columns], near.angles[features, columns]
    keypoints = unpack(packed)
    return Pairs(
        features=features,
        places=places,
        photos=places >> PLACE_BITS,
        views=numbers[features],
        weights=_weights(near)[features, columns],
        turns=(keypoints[:, 3] - asked[:, 3]) / 360,
        octaves=np.log2(keypoints[:, 2] / asked[:, 2]),
    )


def _weights(near: NearFeatures) -> np.ndarray:
    """Returns what each neighbour counts, float32 [queries, k]: how far it is above the last one, and a little more.

    Where all of them are about equally near, the feature is one of many photos, and tells little.
    """
    last = np.where(near.features < 0, np.inf, near.similarities).min(axis=1, keepdims=True, initial=np.inf)
    return near.similarities - last + NEAR_SHARE * np.maximum(near.similarities - NEAR, 0) + LEAST_WEIGHT
