"""Says what a training asks of its objective: what is fitted, on which batches, and what is exported."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast

import keras
import numpy as np

from training import objectives
from training.data.batches import PhotoBatches
from training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Models:
    """The models of one training; they share their weights.

    `fitted` is the one that is trained, by `loss` as Keras takes it. `encoder`, uint8 [batch, size, size, channels] to
    float32 [batch, dimension], is exported. So are the `heads`, by the name of their folder beside the encoder's
    files: models that take the encoder's vectors, such as a decoder.
    """

    fitted: keras.Model
    loss: str | Callable
    encoder: keras.Model
    heads: Mapping[str, keras.Model] = field(default_factory=dict)


class Objective(Protocol):
    """What each file of `training/objectives` defines."""

    def build(self, recipe: Recipe) -> Models:
        """Builds the models, with fresh weights; raises UsageError on settings that do not fit each other."""

    def cached_size(self, recipe: Recipe) -> int:
        """Returns the side of the squares that photos are decoded to once, in pixels: what `batches` is given."""

    def batches(
        self, recipe: Recipe, photos: np.ndarray, indices: np.ndarray, *, seed: int, training: bool
    ) -> PhotoBatches:
        """Returns what `fitted` is trained on, or else validated on.

        `photos` are all that were decoded, uint8 [photos, side, side, channels] of the side `cached_size`, `indices`
        those that it may use. The validation loss decides which epoch is best: its batches must be the same in every
        epoch.
        """


def load(name: str) -> Objective:
    """Returns the objective of that name; `training.recipe` has checked that there is one."""
    return cast("Objective", importlib.import_module(f"{objectives.__name__}.{name}"))
