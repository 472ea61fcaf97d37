"""What every architecture gives: an encoder, its decoder, and the two ends that all architectures share."""

import importlib
import inspect
import pkgutil
from dataclasses import dataclass

import keras

from foundation.errors import UsageError
from training import architectures
from training.fitting.losses import Spread
from training.recipe import MAX_COUNT, Recipe

# A training has few steps per epoch on a small archive: with 0.99 the moving statistics would lag behind the weights.
MOMENTUM = 0.9


@dataclass(frozen=True)
class Autoencoder:
    """encoder: uint8 [batch, size, size, channels] to float32 [batch, dimension]; decoder: back to [0, 1]."""

    encoder: keras.Model
    decoder: keras.Model

    def as_one_model(self) -> keras.Model:
        """Returns the model that is fitted: uint8 photos to float32 photos in [0, 1]."""
        photos = keras.Input(self.encoder.input_shape[1:], dtype="uint8", name="photos")
        return keras.Model(photos, self.decoder(self.encoder(photos)), name="autoencoder")


def build(recipe: Recipe) -> Autoencoder:
    """Builds the recipe's architecture; raises UsageError on an unknown one, or on an option that it does not have."""
    names = architecture_names()
    if recipe.architecture not in names:
        raise UsageError(f"no architecture {recipe.architecture!r}; expected one of: {', '.join(names)}")
    module = importlib.import_module(f"{architectures.__name__}.{recipe.architecture}")
    shape = {
        "size": recipe.size,
        "channels": recipe.channels,
        "dimension": recipe.dimension,
        "distance": recipe.distance,
    }
    valid = [name for name in inspect.signature(module.build).parameters if name not in shape]
    for name in recipe.options:
        if name not in valid:
            raise UsageError(
                f"architecture {recipe.architecture!r} has no option {name!r}; expected one of: {', '.join(valid)}"
            )
    return module.build(**shape, **recipe.options)


def architecture_names() -> list[str]:
    """Returns the names of the files of `training/architectures`, sorted; its folder of blocks is none."""
    return sorted(module.name for module in pkgutil.iter_modules(architectures.__path__) if not module.ispkg)


def code(features, *, dimension: int, distance: str, spread: float = 0.0):
    """Maps features [batch, n] to the code by one dense layer: float32 [batch, dimension], see `compared_by`."""
    vectors = keras.layers.Dense(dimension, dtype="float32", name="code")(features)
    return compared_by(distance, vectors, spread=spread)


def compared_by(distance: str, vectors, *, spread: float = 0.0):
    """Ends an encoder: float32 [batch, dimension], of unit length for `cosine`, as they are for `euclidean`.

    Without the standardisation all codes lie in a narrow cone and every cosine is near 1. The decoder learns from the
    unit-length vectors themselves, so that it takes exactly what the encoder gives. `spread` is the weight of the loss
    that draws the photos of a batch apart; it has no meaning for `euclidean`.
    """
    if distance == "euclidean":
        return keras.layers.Activation("linear", dtype="float32", name="vectors")(vectors)
    standardised = keras.layers.BatchNormalization(
        center=False, scale=False, momentum=MOMENTUM, dtype="float32", name="standardised"
    )(vectors)
    unit_length = keras.layers.UnitNormalization(dtype="float32", name="unit_length")(standardised)
    return Spread(spread, dtype="float32", name="spread")(unit_length)


def decoder_input(*, dimension: int, distance: str):
    """Returns (vectors, features): the decoder's input, float32 [batch, dimension], and the same at unit variance."""
    vectors = keras.Input((dimension,), dtype="float32", name="vectors")
    # A component of a unit-length vector is about 1/√dimension; initialisers expect about 1.
    scale = dimension**0.5 if distance == "cosine" else 1.0
    return vectors, keras.layers.Rescaling(scale, name="scaled")(vectors)


def photo_input(size: int, channels: int):
    """Returns (photos, features): an encoder's input, uint8 [batch, size, size, channels], and the same in [0, 1]."""
    photos = keras.Input((size, size, channels), dtype="uint8", name="photos")
    return photos, keras.layers.Rescaling(1 / 255)(photos)


def widths(option: str, text: str, *, at_least: int = 0) -> list[int]:
    """Returns the widths of successive layers that an option such as `filters="16-32"` names; none for an empty text.

    Raises UsageError on anything but whole numbers from 1 that are joined by hyphens, and on too few of them.
    """
    parts = text.split("-") if text else []
    if len(parts) < at_least or not all(_is_width(part) for part in parts):
        raise UsageError(
            f"{option} is {text!r}; expected {'at least one width: ' if at_least else ''}whole numbers from 1 to "
            f"{MAX_COUNT}, joined by hyphens, such as '16-32'"
        )
    return [int(part) for part in parts]


def _is_width(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(MAX_COUNT)) and 1 <= int(text) <= MAX_COUNT
