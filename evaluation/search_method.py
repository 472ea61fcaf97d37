"""Describes one way to search photos, whatever stands behind it: an encoder, a formula, or local features."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from evaluation import metrics
from evaluation.metrics import Similarity

# What photos are described by: mostly vectors, float32 [n, dimension].
Described = Any


@dataclass(frozen=True, kw_only=True)
class SearchMethod:
    """`describe` turns photos, uint8 [n, side, side, channels], into what `compare(queries, gallery)` compares.

    `reconstruct`, where there is one, turns photos into what their vectors still hold of them, float32 of the photos'
    shape with pixels in [0, 1]. A slow search is asked for at most `max_queries` photos. `dimension` is the most
    numbers that describe a photo, for those that are not described by vectors.
    """

    name: str
    title: str
    distance: str
    describe: Callable[[np.ndarray], Described]
    compare: Callable[[Described, Described], Similarity]
    reconstruct: Callable[[np.ndarray], np.ndarray] | None = None
    max_queries: int | None = None
    dimension: int | None = None


def by_vectors(
    name: str,
    describe: Callable[[np.ndarray], np.ndarray],
    *,
    title: str,
    distance: str = "euclidean",
    reconstruct: Callable[[np.ndarray], np.ndarray] | None = None,
) -> SearchMethod:
    """Returns the search by the cosine or the Euclidean distance of vectors, float32 [n, dimension]."""
    return SearchMethod(
        name=name,
        title=title,
        distance=distance,
        describe=describe,
        compare=partial(metrics.by_vectors, distance=distance),
        reconstruct=reconstruct,
    )
