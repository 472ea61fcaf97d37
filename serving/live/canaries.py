"""Checks that a snapshot answers before anybody asks it: photos drawn from it are found by what it keeps of them."""

import numpy as np

from foundation.errors import ArtifactRefusedError
from foundation.photos.compressed_features import CompressedFeatures
from serving.match.candidates import VOTED, nearest_vectors
from serving.match.evidence import LEAST_FEATURES
from serving.search.snapshot import OpenSnapshot, Place

# This share must be found, by vectors and by features each. A tree misses a photo now and then, and of two photos that
# are nearly the same one may stand for the other; an index that is of other photos than its table finds none.
LEAST_FOUND = 0.5
NEIGHBOURS = 10
# Of two vectors that are as near as this, either may come first.
SAME = 1e-4


def check_canaries(opened: OpenSnapshot, count: int, generator: np.random.Generator) -> None:
    """Looks up so many contents, chosen at random, by their own stored vectors and features.

    Raises ArtifactRefusedError if fewer than a share of LEAST_FOUND are found by either.
    """
    contents = opened.sample(count, generator)
    places = [found[0] for found in opened.places(contents) if found]
    if not places:
        return
    _require_found("vectors", _found_by_vectors(opened, places))
    _require_found("features", _found_by_features(opened, places))


def _require_found(what: str, found: list[bool]) -> None:
    if found and sum(found) < LEAST_FOUND * len(found):
        raise ArtifactRefusedError(
            f"{sum(found)} of {len(found)} photos drawn from the snapshot are found by their own {what}; expected "
            f"{LEAST_FOUND:.0%} at least: index again, or `firstseen rollback`"
        )


def _found_by_vectors(opened: OpenSnapshot, places: list[Place]) -> list[bool]:
    vectors = opened.vectors(places)
    usable = np.isfinite(vectors).all(axis=1)
    near = nearest_vectors(opened, vectors, NEIGHBOURS)
    wanted = [np.array(content, "S32") for content in opened.contents(places)]
    itself = [opened.similarity(vector, place) for vector, place in zip(vectors, places, strict=True)]
    return [
        bool((one.contents == content).any() or one.similarities.min(initial=np.inf) >= own - SAME)
        for one, content, own, is_usable in zip(near, wanted, itself, usable, strict=True)
        if is_usable
    ]


def _found_by_features(opened: OpenSnapshot, places: list[Place]) -> list[bool]:
    kept = [(place, stored.features) for place in places if (stored := opened.stored(place))]
    # Few features have few votes, and others may have as many.
    return [_is_voted(opened, place, features) for place, features in kept if len(features) >= LEAST_FEATURES]


def _is_voted(opened: OpenSnapshot, place: Place, features: CompressedFeatures) -> bool:
    voted = opened.contents([one.place for one in opened.voted([features], VOTED)])
    return opened.contents([place])[0] in voted
