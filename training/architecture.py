"""Builds the architecture that a recipe names: one file of `training/architectures` each."""

import importlib
import inspect
import pkgutil
from dataclasses import dataclass

import keras

from foundation.errors import UsageError
from training import architectures
from training.recipe import Recipe, like


@dataclass(frozen=True)
class Architecture:
    """encoder: uint8 [batch, size, size, channels] to float32 [batch, dimension]."""

    encoder: keras.Model


@dataclass(frozen=True)
class Autoencoder(Architecture):
    """decoder: the encoder's vectors, float32 [batch, dimension], back to [batch, size, size, channels] in [0, 1]."""

    decoder: keras.Model


def build(recipe: Recipe) -> Architecture:
    """Builds the recipe's architecture; raises UsageError on an unknown one, or on an option that it does not take."""
    if recipe.architecture not in names():
        raise UsageError(f"no architecture {recipe.architecture!r}; expected one of: {', '.join(names())}")
    module = importlib.import_module(f"{architectures.__name__}.{recipe.architecture}")
    shape = {
        "size": recipe.size,
        "channels": recipe.channels,
        "dimension": recipe.dimension,
        "distance": recipe.distance,
    }
    # What an architecture's function takes beside the shape are its options, and their defaults tell the types.
    parameters = inspect.signature(module.build).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items() if name not in shape}
    for name in recipe.options:
        if name not in defaults:
            raise UsageError(
                f"architecture {recipe.architecture!r} has no option {name!r}; expected one of: {', '.join(defaults)}"
            )
    return module.build(**shape, **{name: like(defaults[name], name, value) for name, value in recipe.options.items()})


def names() -> list[str]:
    """Returns the names of the files of `training/architectures`, sorted; its folder of blocks is none."""
    return sorted(module.name for module in pkgutil.iter_modules(architectures.__path__) if not module.ispkg)
