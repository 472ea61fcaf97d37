"""Trains an encoder to give two views of one photo like vectors, and all other photos of the batch unlike ones."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from foundation.checks import require_range
from foundation.errors import UsageError
from training import architecture
from training.data.view_batches import ViewBatches
from training.objective import Models
from training.recipe import Recipe, like

# Photos are cached larger than the encoder sees them: a quarter of one is then as sharp as the whole of another.
CACHED_PER_SIZE = 2
# To a softmax, what is this far below the rest is not there; half precision never sees it.
MASKED = -1e9
# The logarithm of a distance of 0 is infinite, and so is its derivative.
SMALLEST = 1e-8


@dataclass(frozen=True, kw_only=True)
class ContrastiveOptions:
    """`temperature` divides the cosines: the lower, the more the nearest of the other photos count.

    `entropy` is the weight of the term that spreads the vectors.
    """

    temperature: float = 0.06
    entropy: float = 0.5

    def __post_init__(self):
        """Raises UsageError on values that cannot work."""
        require_range("temperature", self.temperature, 0.01, 10)
        require_range("entropy", self.entropy, 0, 1000)


def build(recipe: Recipe) -> Models:
    """Builds the recipe's encoder, applied to both views: uint8 [batch, 2, size, size, channels] to two vectors each.

    Raises UsageError on an option that it does not know, and on settings that mean nothing here.
    """
    for name, expected in (("distance", "cosine"), ("loss", Recipe.loss), ("corruption", Recipe.corruption)):
        if getattr(recipe, name) != expected:
            raise UsageError(
                f"{name} is {getattr(recipe, name)!r}; the objective 'contrastive' has a loss and edits of its own, "
                f"for cosines, and expects {expected!r}"
            )
    options = _options(recipe)
    encoder = architecture.build(recipe).encoder
    views = keras.Input((2, *encoder.input_shape[1:]), dtype="uint8", name="views")
    vectors = encoder(ops.reshape(views, (-1, *encoder.input_shape[1:])))
    return Models(
        fitted=keras.Model(views, ops.reshape(vectors, (-1, 2, recipe.dimension)), name="contrastive"),
        loss=contrastive_loss(temperature=options.temperature, entropy=options.entropy),
        encoder=encoder,
    )


def cached_size(recipe: Recipe) -> int:
    """Returns twice the encoder's size."""
    return CACHED_PER_SIZE * recipe.size


def batches(recipe: Recipe, photos: np.ndarray, indices: np.ndarray, *, seed: int, training: bool) -> ViewBatches:
    """Returns views of the photos; those of training change from epoch to epoch."""
    return ViewBatches(photos, indices, size=recipe.size, batch_size=recipe.batch_size, seed=seed, shuffle=training)


def contrastive_loss(*, temperature: float, entropy: float) -> Callable:
    """Returns the loss of each photo, as Keras takes it: float32 [batch], of places [batch] and vectors [batch, 2, n].

    InfoNCE over both views (NT-Xent of Chen et al., SimCLR, 2020, arXiv 2002.05709, section 2.1), plus `entropy` times
    the differential entropy regularisation of Pizzi et al., A Self-Supervised Descriptor for Image Copy Detection
    (2022, arXiv 2202.10261, section 3.3). On several devices each sees the photos of its own share only.
    """

    def loss(places, vectors):
        both = ops.concatenate([vectors[:, 0], vectors[:, 1]], axis=0)
        places = ops.concatenate([places, places], axis=0)
        # A photo is no stranger to itself or to its other view.
        is_same = ops.equal(places[:, None], places[None, :])
        cosines = ops.matmul(both, ops.transpose(both))
        others = ops.where(is_same, MASKED, cosines / temperature)
        agreement = ops.sum(vectors[:, 0] * vectors[:, 1], axis=-1) / temperature
        agreement = ops.concatenate([agreement, agreement], axis=0)
        attraction = ops.logaddexp(ops.logsumexp(others, axis=1), agreement) - agreement
        nearest = ops.max(ops.where(is_same, -1.0, cosines), axis=1)
        # Of unit-length vectors the squared distance is 2 - 2 cos.
        repulsion = -0.5 * ops.log(ops.maximum(2 - 2 * nearest, SMALLEST))
        return ops.mean(ops.reshape(attraction + entropy * repulsion, (2, -1)), axis=0)

    return loss


def _options(recipe: Recipe) -> ContrastiveOptions:
    usual = ContrastiveOptions()
    for name in recipe.objective_options:
        if name not in vars(usual):
            raise UsageError(
                f"objective 'contrastive' has no option {name!r}; expected one of: {', '.join(vars(usual))}"
            )
    given = {name: like(getattr(usual, name), name, value) for name, value in recipe.objective_options.items()}
    return ContrastiveOptions(**given)
