"""Measures how alike made and real vectors lie: how near their neighbours are, and in how many directions."""

import numpy as np

from foundation.vectors import exact_neighbours

# Neighbours that the dimension is estimated from: fewer are noise, more are not local.
NEAREST = 20


def nearest_similarities(queries: np.ndarray, vectors: np.ndarray, *, k: int = NEAREST) -> np.ndarray:
    """Returns the cosines of the k nearest of vectors to each query, float32 [queries, k], without the query itself.

    queries, vectors: float32 [n, dimension] of unit length.
    """
    _, found = exact_neighbours(queries, vectors, k=k + 1, distance="cosine")
    same = found[:, :1] > 1 - 1e-6
    return np.where(same, found[:, 1:], found[:, :-1])


def best_of(*found: np.ndarray) -> np.ndarray:
    """Returns the best of what several searches found, best first: float32 [queries, NEAREST + 1] at most."""
    return -np.sort(-np.concatenate(found, axis=1), axis=1)[:, : NEAREST + 1]


def local_dimensions(similarities: np.ndarray) -> np.ndarray:
    """Returns the intrinsic dimension around each query, float64 [queries], from its neighbours' cosines, best first.

    The maximum-likelihood estimate of Levina and Bickel ("Maximum likelihood estimation of intrinsic dimension", NIPS
    2004), equation 8, with the correction of MacKay and Ghahramani: means are to be taken of its inverse.
    """
    distances = np.sqrt(np.maximum(2 - 2 * similarities.astype(np.float64), 1e-12))
    return 1 / np.log(distances[:, -1:] / distances[:, :-1]).mean(axis=1)


def summary(similarities: np.ndarray) -> dict[str, float]:
    """Returns quartiles of the nearest cosine, and the intrinsic dimension, of some queries."""
    low, middle, high = np.quantile(similarities[:, 0], (0.25, 0.5, 0.75)).tolist()
    dimension = 1 / float((1 / local_dimensions(similarities)).mean())
    return {"quarter": low, "half": middle, "three_quarters": high, "dimension": dimension}
