"""Asks a store everything, so that answers before and after a compaction can be compared."""

from typing import Any

import numpy as np

from foundation.store.files import Store
from serving.search.snapshot import OpenSnapshot
from tests.builders import content, unit_vectors
from tests.serving.search.local_segments import features_of, picture

DIMENSION = 8
CONTENTS = 12
# The vector and the features of a content depend on its name alone, wherever it is held.
VECTORS = unit_vectors(CONTENTS, DIMENSION, seed=3)
FEATURES = features_of([picture(seed) for seed in range(CONTENTS)], most=20)


def answers(store: Store) -> dict[str, Any]:
    """Returns all that the live snapshot says: who has each content, what is near, what features vote for."""
    contents = [content(name) for name in range(CONTENTS)]
    with OpenSnapshot(store) as opened:
        places = opened.places(contents)
        found = opened.search(VECTORS, CONTENTS)
        return {
            "held": [bool(one) for one in places],
            "occurrences": [opened.occurrences(one) for one in contents],
            "photos": [opened.photo(one[0])["width"] if one else None for one in places],
            "vectors": [opened.vectors(one[:1]).tolist() if one else None for one in places],
            "near": [
                [(one, round(float(near), 5)) for one, near in zip(*pair, strict=True) if near > -np.inf]
                for pair in zip(found.contents.tolist(), found.similarities, strict=True)
            ],
            "features": [_stored(opened, one) for one in places],
            "voted": [_most_voted(opened, number) for number, one in enumerate(places) if any(map(opened.stored, one))],
        }


def _stored(opened: OpenSnapshot, places: list) -> Any:
    """Returns the features that are kept of a content, if any of its places has some."""
    kept = [stored for stored in map(opened.stored, places) if stored]
    return kept and (kept[0].features.keypoints.tolist(), kept[0].features.descriptors.tolist(), kept[0].thumbnail)


def _most_voted(opened: OpenSnapshot, number: int) -> list[bytes]:
    """Returns the content that features of one vote for most, if any does."""
    votes = opened.voted(FEATURES[number : number + 1], 1)
    return opened.contents([one.place for one in votes])
