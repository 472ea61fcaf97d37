"""Finds what of the archive may be a query's photo: by its bytes, by its vector, by votes of its local features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from foundation.photos.photo import Photo
from foundation.store.segments import whole_hash
from serving.match.evidence import VIEWS, QueryPhoto, View
from serving.search.merge import Nearest
from serving.search.searched_snapshot import SearchedSnapshot
from serving.search.snapshot import Place, Voted

# The photos with the most votes that are looked at closer. The right one is seldom further down, and each costs time.
VOTED = 12
# Of those that are only near, so few are: what a vector finds alone, it finds among the first.
NEAR = 3
# How a query may look to have votes: as it is, mirrored, or as its negative. Both at once is rare, and is tried only
# where pixels are compared.
VOTING = VIEWS[:3]


@dataclass(frozen=True)
class Candidate:
    """One content of the archive that may be the query's: how near it is, and every place that holds it.

    `content` is its hash (32 bytes), `similarity` the distance's own measure (see `foundation.vectors`), 1 when
    `is_identical`, which says that the bytes are the same. `views` are the ways to look at the query in which pixels
    are worth comparing: the one that features voted for, all of them, or none; `votes` is what they weigh. What was
    retracted since it was found has no place.
    """

    content: bytes
    similarity: float
    is_identical: bool
    places: list[Place]
    views: Sequence[View] = ()
    votes: float = 0.0


class Searches(Protocol):
    """What vectors are searched in: segments of a snapshot, all or some."""

    def search(self, vectors: np.ndarray, k: int) -> Nearest:
        """Returns, per vector, the k nearest distinct contents; float32 [queries, dimension]."""


def nearest_vectors(opened: Searches, vectors: np.ndarray, k: int) -> list[Nearest]:
    """Returns the k nearest contents of each query, by float32 [queries, dimension]; none where it is not finite."""
    # One photo with a broken vector must not cost the batch its answers: zeros stand in for it, and what they find is
    # dropped.
    usable = np.isfinite(vectors).all(axis=1)
    found = opened.search(np.where(usable[:, None], vectors, 0), k)
    similarities = np.where(usable[:, None], found.similarities, -np.inf)
    return [Nearest(*one) for one in zip(similarities, found.contents, strict=True)]


def find_candidates(
    opened: SearchedSnapshot, photo: Photo, vector: np.ndarray, near: Nearest, pictured: QueryPhoto | None
) -> list[Candidate]:
    """Returns the candidates for one photo: the identical one first, then those with votes, then the nearest.

    vector: float32 [dimension], `near` what is nearest to it. A content comes once.
    """
    # By hash, beside the vectors: the same bytes are rank 1 even where the index, which is approximate, misses them.
    (places,) = opened.places([photo.content_sha256])
    identical = [Candidate(photo.content_sha256, 1.0, True, places)] if places else []
    # What a vector finds, votes find as well, but for photos that were blurred or printed: these get a closer look.
    compared = NEAR if pictured and pictured.is_close else 0
    found = {
        one.content: one
        for one in (*_nearest(opened, near, compared=compared), *_voted(opened, vector, pictured), *identical)
    }
    return sorted(found.values(), key=lambda one: (not one.is_identical, len(one.views) != 1))


def _nearest(opened: SearchedSnapshot, near: Nearest, *, compared: int) -> list[Candidate]:
    known = np.flatnonzero(near.similarities > -np.inf)
    hashes = [whole_hash(near.contents[column]) for column in known]
    return [
        Candidate(content, float(near.similarities[column]), False, places, VIEWS if column < compared else ())
        for column, content, places in zip(known, hashes, opened.places(hashes), strict=True)
    ]


def _voted(opened: SearchedSnapshot, vector: np.ndarray, pictured: QueryPhoto | None) -> list[Candidate]:
    voted = opened.voted([pictured.view(view) for view in VOTING], VOTED) if pictured else []
    best: dict[bytes, Voted] = {}
    # A content that lies in several segments comes several times; where it has the most votes, its view is right.
    for content, one in zip(opened.contents([one.place for one in voted]), voted, strict=True):
        best.setdefault(content, one)
    return [
        Candidate(content, opened.similarity(vector, one.place), False, places, [VOTING[one.view]], one.votes)
        for (content, one), places in zip(best.items(), opened.places(list(best)), strict=True)
    ]
