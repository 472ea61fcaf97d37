"""Evaluates one way to describe photos on the test split of a data set: errors, retrieval, robustness, speed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from training.study import metrics
from training.study.disturbances import disturb
from training.study.plan import SEED
from training.study.result import DISTURBANCES, Errors, Retrieval
from training.study.searcher import Described, Searcher

# Of the training split; its error is a mean over so many that more change nothing.
TRAINING_SAMPLE = 10_000
ROBUSTNESS_QUERIES = 2_000
TIMED_PHOTOS = 2_000
BLOCK_PHOTOS = 1_000


@dataclass(frozen=True)
class Photos:
    """The decoded photos of one data set, uint8 [n, size, size, channels], and the classes of some, int [n].

    `class_names`, text [classes], says what the classes are.
    """

    training: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    training_labels: np.ndarray
    test_labels: np.ndarray
    class_names: np.ndarray

    @cached_property
    def pixel_neighbours(self) -> np.ndarray:
        """The ten nearest other photos of each test photo by pixels, int [test, 10]."""
        pixels = self.test.reshape(len(self.test), -1).astype(np.float32)
        similarity = metrics.by_vectors(pixels, pixels, distance="euclidean")
        return metrics.nearest(similarity, np.arange(len(pixels)), 10, leave_out_self=True)

    @cached_property
    def robustness_queries(self) -> np.ndarray:
        """The test photos that are disturbed and asked for, int, ascending."""
        count = min(ROBUSTNESS_QUERIES, len(self.test))
        return np.sort(np.random.default_rng(SEED).choice(len(self.test), count, replace=False))

    @cached_property
    def disturbed(self) -> dict[str, np.ndarray]:
        """The robustness queries, disturbed, by disturbance."""
        return {name: disturb(self.test[self.robustness_queries], name, seed=SEED) for name in DISTURBANCES}


def measure_errors(reconstruct: Callable[[np.ndarray], np.ndarray], photos: Photos) -> Errors:
    """Returns the mean squared errors on a sample of the training photos, on the validation and on the test photos."""
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
        difference = reconstruct(block) - block.astype(np.float32) / 255
        errors.append(np.square(difference, dtype=np.float64).mean(axis=(1, 2, 3)))
    return np.concatenate(errors)


def measure_retrieval(searcher: Searcher, described: Described, photos: Photos) -> Retrieval:
    """Returns how well the test photos find the others of their class; `described`: the test photos."""
    queries = _at_most(searcher.max_queries, np.arange(len(photos.test)))
    found = metrics.measure_retrieval(
        searcher.compare(described, described), photos.test_labels, queries, photos.pixel_neighbours[queries]
    )
    return Retrieval(**{**vars(found), **_by_either_distance(described, photos, queries)})


def _by_either_distance(described: Described, photos: Photos, queries: np.ndarray) -> dict[str, float]:
    """Returns precision@10 by Euclidean distance and by cosine; nothing for what is not compared by vectors."""
    if not isinstance(described, np.ndarray):
        return {}
    return {
        distance: metrics.measure_precision(
            metrics.by_vectors(described, described, distance=distance), photos.test_labels, queries, 10
        )
        for distance in ("euclidean", "cosine")
    }


def found_first(searcher: Searcher, described: Described, photos: Photos) -> dict[str, np.ndarray]:
    """Returns, by disturbance, which robustness queries find their clean photo first among all test photos: bool."""
    queries = _at_most(searcher.max_queries, np.arange(len(photos.robustness_queries)))
    return {
        name: metrics.found_first(
            searcher.compare(searcher.describe(disturbed), described), queries, photos.robustness_queries[queries]
        )
        for name, disturbed in photos.disturbed.items()
    }


def photos_per_second(searcher: Searcher, photos: Photos) -> float:
    """Returns how many photos are described per second, after one block to warm up."""
    searcher.describe(photos.test[:BLOCK_PHOTOS])
    timed = photos.test[:TIMED_PHOTOS]
    started = time.perf_counter()
    searcher.describe(timed)
    return len(timed) / (time.perf_counter() - started)


def _at_most(count: int | None, queries: np.ndarray) -> np.ndarray:
    """Returns the queries, or so many of them, drawn by the seed."""
    if count is None or count >= len(queries):
        return queries
    return np.sort(np.random.default_rng(SEED).choice(queries, count, replace=False))
