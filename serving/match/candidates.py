"""Finds what of the archive may be a query's photo: the same bytes first, then the nearest vectors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foundation.photos.photo import Photo
from serving.search.snapshot import OpenSnapshot, Place


@dataclass(frozen=True)
class Candidate:
    """One content of the archive that may be the query's: how near it is, and every place that holds it.

    `content` is its hash (32 bytes), `similarity` the distance's own measure (see `foundation.vectors`), 1 when
    `is_identical`, which says that the bytes are the same.
    """

    content: bytes
    similarity: float
    is_identical: bool
    places: list[Place]


def find_candidates(
    opened: OpenSnapshot, photos: Sequence[Photo], vectors: np.ndarray, k: int
) -> list[list[Candidate]]:
    """Returns per photo at most k candidates, the identical one first, then the nearest.

    vectors: float32 [photos, dimension]; a photo whose vector is not finite is found by its bytes alone.
    """
    # One photo with a broken vector must not cost the batch its answers: zeros stand in for it, and what they find is
    # dropped below.
    usable = np.isfinite(vectors).all(axis=1)
    nearest = opened.search(np.where(usable[:, None], vectors, 0), k)
    # By hash, beside the vectors: the same bytes are rank 1 even where the index, which is approximate, misses them.
    identical = opened.places([one.content_sha256 for one in photos])
    found = []
    for number, (photo, places) in enumerate(zip(photos, identical, strict=True)):
        same = [Candidate(photo.content_sha256, 1.0, True, places)] if places else []
        near = _near(opened, nearest.similarities[number], nearest.contents[number]) if usable[number] else []
        found.append([*same, *(one for one in near if one.content != photo.content_sha256)][:k])
    return found


def _near(opened: OpenSnapshot, similarities: np.ndarray, contents: np.ndarray) -> list[Candidate]:
    known = np.flatnonzero(similarities > -np.inf)
    # NumPy drops the zeros that a hash may end in.
    hashes = [bytes(contents[column]).ljust(32, b"\0") for column in known]
    return [
        Candidate(content, float(similarities[column]), False, places)
        for column, content, places in zip(known, hashes, opened.places(hashes), strict=True)
    ]
