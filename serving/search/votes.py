"""Adds up votes: which photos have many features near those of a query, all turned and scaled by the same amount.

The weak geometric consistency of Jégou, Douze and Schmid ("Hamming embedding and weak geometric consistency for large
scale image search", ECCV 2008), with the damping of bursts of the same authors ("On the burstiness of visual
elements", CVPR 2009).
"""

from dataclasses import dataclass

import numpy as np

# Bins of the difference of angles and of scales; a vote counts in the two nearest of each, so that none is cut apart.
TURNS = 16
OCTAVES = 32
# Photos whose votes are put into bins: those with the most votes of any kind. Most others have one or two by chance.
MOST_BINNED = 400


@dataclass(frozen=True, eq=False)
class Pairs:
    """Features of a query's views and features of photos near them, one pair an element of each array [pairs].

    `features` and `places` number them, `photos` is the row of the photo and `views` the query's view, int64 all;
    `weights` float32 is what a pair's vote counts; `turns` is the difference of angles in whole turns, and `octaves`
    that of scales as a power of two, both photo against query.
    """

    features: np.ndarray
    places: np.ndarray
    photos: np.ndarray
    views: np.ndarray
    weights: np.ndarray
    turns: np.ndarray
    octaves: np.ndarray

    def take(self, chosen: np.ndarray) -> "Pairs":
        """Returns the pairs at some positions, or where a bool array is true."""
        return Pairs(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


@dataclass(frozen=True, eq=False)
class Votes:
    """Photos by their votes, most first: rows and views int64 [photos], votes float64 [photos]."""

    photos: np.ndarray
    views: np.ndarray
    votes: np.ndarray


def count_votes(pairs: Pairs, k: int) -> Votes:
    """Returns the k photos with the most votes in one bin of rotation and scale, each with the view that it is by."""
    pairs = damped(pairs)
    views = 1 + int(pairs.views.max(initial=0))
    groups, members = np.unique(pairs.photos * views + pairs.views, return_inverse=True)
    chosen = np.argsort(-np.bincount(members, pairs.weights), kind="stable")[:MOST_BINNED]
    rank = np.full(len(groups), -1)
    rank[chosen] = np.arange(len(chosen))
    kept = rank[members] >= 0
    votes = _in_one_bin(rank[members][kept], pairs.take(kept), len(chosen))
    photos, seen_as = np.divmod(groups[chosen], views)
    order = np.argsort(-votes, kind="stable")
    _, first = np.unique(photos[order], return_index=True)
    best = order[np.sort(first)[:k]]
    return Votes(photos[best], seen_as[best], votes[best])


def damped(pairs: Pairs) -> Pairs:
    """Returns the pairs without bursts: a feature votes once for a photo, and of a photo each feature gets one vote.

    Otherwise a fence or a line of text in both, where everything is near to everything, would outvote the rest.
    """
    heaviest = np.argsort(-pairs.weights, kind="stable")
    pairs = pairs.take(heaviest)
    pairs = pairs.take(_first_of_each(pairs.features, pairs.photos))
    return pairs.take(_first_of_each(pairs.places, pairs.views))


def _first_of_each(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    _, first = np.unique(one * (1 + other.max(initial=0)) + other, return_index=True)
    return np.sort(first)


def _in_one_bin(groups: np.ndarray, pairs: Pairs, count: int) -> np.ndarray:
    """Returns the votes in the fullest bin of each group, float64 [count]; groups: int64 [pairs]."""
    bins = np.zeros(count * TURNS * OCTAVES)
    turn = np.floor(pairs.turns * TURNS - 0.5).astype(np.int64)
    octave = np.clip(np.floor(pairs.octaves + OCTAVES / 2 - 0.5).astype(np.int64), 0, OCTAVES - 2)
    for next_turn in (0, 1):
        for next_octave in (0, 1):
            places = (groups * TURNS + (turn + next_turn) % TURNS) * OCTAVES + octave + next_octave
            bins += np.bincount(places, pairs.weights, len(bins))
    return bins.reshape(count, TURNS * OCTAVES).max(axis=1)
