"""Builds an encoder on a model of `keras.applications` without its classifier: the trunk of somebody else's training.

Nothing is downloaded: weights come from a local file, in the form in which Keras offers them ("notop"), or are random.
"""

import inspect
import warnings
from collections.abc import Callable
from pathlib import Path

import keras

from foundation.errors import InputNotFoundError, UsageError
from training.architecture import Architecture
from training.architectures.blocks.ends import projected


def build(
    *, size: int, channels: int, dimension: int, distance: str, model: str = "MobileNetV3Small", weights: str = ""
) -> Architecture:
    """Builds the encoder: `model` is a name in `keras.applications`, `weights` a file for it without its classifier.

    Photos are prepared as the model was trained with; grey ones are given to it as three like channels. Raises
    UsageError on an unknown model, a size that it does not take or weights of another one, InputNotFoundError if there
    is no such file.
    """
    make = _models().get(model)
    if make is None:
        raise UsageError(f"no backbone {model!r} in keras.applications; expected one of: {', '.join(_models())}")
    photos = keras.Input((size, size, channels), dtype="uint8", name="photos")
    features = keras.ops.cast(photos, keras.config.floatx())
    features = keras.ops.repeat(features, 3, axis=-1) if channels == 1 else features
    try:
        trunk = make(include_top=False, weights=None, input_shape=(size, size, 3))
    except ValueError as error:
        raise UsageError(f"backbone {model!r} cannot be built for size {size}: {error}") from error
    if weights:
        _load(trunk, model, Path(weights))
    vectors = projected(trunk(_preprocess_of(make)(features)), dimension=dimension, distance=distance)
    return Architecture(keras.Model(photos, vectors, name="encoder"))


def _models() -> dict[str, Callable[..., keras.Model]]:
    """Returns the functions of `keras.applications` that build a model, by name; its modules are no functions."""
    return {name: make for name, make in vars(keras.applications).items() if inspect.isfunction(make)}


def _preprocess_of(make: Callable[..., keras.Model]) -> Callable:
    """Returns what prepares photos of 0 to 255 for a model: each family has its own, in the module of its models."""
    return vars(inspect.getmodule(make))["preprocess_input"]


def _load(trunk: keras.Model, model: str, file: Path) -> None:
    if not file.is_file():
        raise InputNotFoundError(f"no file {file} with the weights of {model}; expected one on this machine")
    try:
        with warnings.catch_warnings():
            # Keras warns of layers that it finds nothing for, and leaves them at random.
            warnings.simplefilter("error", UserWarning)
            trunk.load_weights(file)
    except (ValueError, OSError, KeyError, UserWarning) as error:
        reason = str(error).strip().splitlines()[0]
        raise UsageError(f"{file} does not hold the weights of {model} without its classifier: {reason}") from error
