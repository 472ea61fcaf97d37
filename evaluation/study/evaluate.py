"""Evaluates one way to describe photos on the test split of a data set: errors, retrieval, robustness, speed."""

from collections.abc import Callable

import numpy as np

from evaluation import metrics
from evaluation.metrics import Retrieval
from evaluation.search_method import Described, SearchMethod
from evaluation.study.photos import Photos
from evaluation.study.plan import SEED, TRAINING_SAMPLE
from evaluation.study.result import Errors

BLOCK_PHOTOS = 1_000


def measure_errors(reconstruct: Callable[[np.ndarray], np.ndarray], photos: Photos) -> Errors:
    """Returns the mean squared errors on a sample of the training photos, on the validation and on the test photos."""
    # The sample is spread over all of the split: the first photos would be those of the first shards.
    sample = np.linspace(0, len(photos.training) - 1, min(TRAINING_SAMPLE, len(photos.training))).astype(int)
    return Errors(
        training=float(squared_errors(reconstruct, photos.training[sample]).mean()),
        validation=float(squared_errors(reconstruct, photos.validation).mean()),
        test=float(squared_errors(reconstruct, photos.test).mean()),
    )


def squared_errors(reconstruct: Callable[[np.ndarray], np.ndarray], photos: np.ndarray) -> np.ndarray:
    """Returns the mean squared error of each photo, pixels in [0, 1]: float64 [n]."""
    errors = []
    for start in range(0, len(photos), BLOCK_PHOTOS):
        block = photos[start : start + BLOCK_PHOTOS]
        # Blocks bound the memory: a decoder's output is float32, four times the photos.
        difference = reconstruct(block) - block.astype(np.float32) / 255
        errors.append(np.square(difference, dtype=np.float64).mean(axis=(1, 2, 3)))
    return np.concatenate(errors)


def measure_retrieval(method: SearchMethod, described: Described, photos: Photos) -> Retrieval:
    """Returns how well the test photos find the others of their class; `described`: the test photos."""
    queries = _at_most(method.max_queries, np.arange(len(photos.test)))
    found = metrics.measure_retrieval(
        method.compare(described, described), photos.test_labels, queries, photos.pixel_neighbours[queries]
    )
    if not isinstance(described, np.ndarray):  # what is not compared by vectors has no other distance
        return found
    other = "cosine" if method.distance == "euclidean" else "euclidean"
    precision = metrics.measure_precision(
        metrics.by_vectors(described, described, distance=other), photos.test_labels, queries, 10
    )
    return Retrieval(**{**vars(found), method.distance: found.precision_at_10, other: precision})


def found_first(method: SearchMethod, described: Described, photos: Photos) -> dict[str, np.ndarray]:
    """Returns, by disturbance, which robustness queries find their clean photo first among all test photos: bool."""
    queries = _at_most(method.max_queries, np.arange(len(photos.robustness_queries)))
    targets = photos.robustness_queries[queries]
    return {
        name: metrics.found_first(
            method.compare(method.describe(disturbed[queries]), described), np.arange(len(queries)), targets
        )
        for name, disturbed in photos.disturbed.items()
    }


def _at_most(count: int | None, queries: np.ndarray) -> np.ndarray:
    """Returns the queries, or so many of them, drawn by the seed."""
    if count is None or count >= len(queries):
        return queries
    return np.sort(np.random.default_rng(SEED).choice(queries, count, replace=False))
