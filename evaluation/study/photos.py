"""Prepares the photos of a data set for the study: split, labelled, disturbed, and compared by their pixels."""

import hashlib
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evaluation import metrics
from evaluation.study.disturbances import disturb
from evaluation.study.plan import ROBUSTNESS_QUERIES, SEED, Dataset
from evaluation.study.result import DISTURBANCES
from evaluation.study.workplace import Workplace
from foundation.errors import UsageError
from training.data.batches import split
from training.data.photo_cache import PhotoCache, cache_photos
from training.data.source import open_source
from training.recipe import Recipe

# The pictures show 16 test photos, each as a query that needs another one to find.
LEAST_TEST_PHOTOS = 17
# Every recipe of the study holds back this share for validation, so that all of them learn from the same photos.
VALIDATION_SHARE = Recipe.validation_share


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
    def digest(self) -> str:
        """What stands for these photos and classes: another source, another split or another decoder gives another."""
        digest = hashlib.sha256()
        for array in (self.training, self.validation, self.test, self.training_labels, self.test_labels):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()[:16]

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


def open_photos(dataset: Dataset, workplace: Workplace) -> Photos:
    """Returns the decoded photos of a data set: the same cache, and the same split, as its trainings use.

    Raises InputNotFoundError if there are none, UsageError on photos without a class.
    """
    training, test = (_cached(dataset, source, workplace) for source in (dataset.training, dataset.test))
    pixels, names = training.open(), np.concatenate([training.labels(), test.labels()])
    unlabelled = int(np.count_nonzero(names == ""))
    if unlabelled:
        raise UsageError(
            f"{unlabelled:,} of {len(names):,} photos of {dataset.training} and {dataset.test} have no class; expected "
            "sources that tell one, such as tfds:NAME, or tar shards with .cls or .json files"
        )
    _require_enough(dataset, training.photos, test.photos)
    class_names, labels = np.unique(names, return_inverse=True)
    for_training, for_validation = split(len(pixels), validation_share=VALIDATION_SHARE, seed=SEED)
    return Photos(
        training=pixels[for_training],
        validation=pixels[for_validation],
        test=np.asarray(test.open()),
        training_labels=labels[for_training],
        test_labels=labels[len(pixels) :],
        class_names=class_names,
    )


def _require_enough(dataset: Dataset, training: int, test: int) -> None:
    """Raises UsageError if PCA could not be fitted, or if ten neighbours and the pictures could not be filled."""
    components = max(dataset.dimension, *dataset.pca_dimensions, 0)
    # PCA needs a photo for each dimension, of those that are left when the validation split is held back.
    at_least = math.ceil(components / (1 - VALIDATION_SHARE)) + 1
    for source, photos, expected in ((dataset.training, training, at_least), (dataset.test, test, LEAST_TEST_PHOTOS)):
        if photos < expected:
            raise UsageError(
                f"{source} has {photos:,} photos; the study of {dataset.name!r} expects at least {expected:,} there: "
                "name a larger source"
            )


def _cached(dataset: Dataset, source: str, workplace: Workplace) -> PhotoCache:
    return cache_photos(
        open_source(source, data_dir=workplace.data_dir),
        cache=workplace.photos,
        size=dataset.size,
        channels=dataset.channels,
        seed=SEED,
    )
