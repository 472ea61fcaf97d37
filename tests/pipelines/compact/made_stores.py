"""Makes segments of a few contents, and asks a store everything: answers before and after a compaction are compared."""

from typing import Any

import numpy as np

from foundation.store.files import Store
from foundation.store.occurrences import Occurrence
from foundation.store.retractions import RetractedPhoto, add_retraction
from foundation.store.segments import SegmentReference
from serving.search.snapshot import OpenSnapshot
from tests.builders import content, unit_vectors
from tests.segments import add_segment, held
from tests.serving.search.local_segments import features_of, picture

A = "file:///a"
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


def add(
    store: Store, encoder_id: str, segment_id: str, rows: dict[int, list[Occurrence]], *, features: bool, **fields
) -> SegmentReference:
    """Writes a segment that holds these contents; changes are those of `changes`, by content."""
    names = list(rows)
    changes = {content(name): found for name, found in fields.pop("changes", {}).items()}
    return add_segment(
        store,
        encoder_id,
        segment_id,
        [held(name, *rows[name], width=100 + name) for name in names],
        vectors=VECTORS[names],
        features=[FEATURES[name] for name in names] if features else (),
        thumbnails=[b"T" * name + b"JPEG" for name in names] if features else (),
        changes=changes or None,
        **fields,
    )


def retract(store: Store, name: int) -> None:
    """Withdraws one photo."""
    add_retraction(
        store, [RetractedPhoto(archive=A, photo_id=f"{name}.jpg", content_sha256=content(name).hex())], why=""
    )
