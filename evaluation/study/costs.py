"""Measures what an encoder costs: the time to train it, and how many photos it encodes per second."""

import time
from collections.abc import Callable
from functools import partial
from statistics import median

import keras
import numpy as np

from evaluation.study.photos import Photos
from evaluation.study.plan import SEED, TIMED_BATCHES
from training import objective
from training.recipe import Recipe

TIMED_PHOTOS = 2_000
REPEATS = 3
# The first batches wait for the model to be compiled, and are not counted.
WARM_UP_BATCHES = 3


def photos_per_second(describe: Callable[[np.ndarray], object], photos: Photos) -> float:
    """Returns how many test photos are described per second: the median of some repeats, the first not counted."""
    timed = photos.test[:TIMED_PHOTOS]
    describe(timed)  # the first call traces the model
    return len(timed) / median(_seconds(lambda: describe(timed)) for _ in range(REPEATS))


def training_seconds(settings: Recipe, photos: Photos, *, epochs: int) -> float:
    """Returns how long so many epochs take: some batches are timed, one after the other, and counted up.

    A training of many minutes meets other work on most machines; these batches hardly do.
    """
    keras.backend.clear_session()
    # A fresh network is timed, not the trained one: a batch takes as long with any weights.
    trained = objective.load(settings.objective)
    models = trained.build(settings)
    models.fitted.compile("adam", loss=models.loss)
    batches = trained.batches(settings, photos.training, np.arange(len(photos.training)), seed=SEED, training=True)

    def step(number: int) -> None:
        models.fitted.train_on_batch(*batches[number % len(batches)])

    seconds = [_seconds(partial(step, number)) for number in range(WARM_UP_BATCHES + TIMED_BATCHES)]
    return median(seconds[WARM_UP_BATCHES:]) * len(batches) * epochs


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
