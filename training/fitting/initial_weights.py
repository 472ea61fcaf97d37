"""Reads the weights of an encoder of the store, so that a training begins with them instead of with random ones.

Only its variables are read, and nothing of the program that a SavedModel is. Keras exports them in the order in which
a model of the same architecture lists them; their names differ from process to process.
"""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from foundation.errors import ArtifactRefusedError, UsageError
from foundation.store import artifact
from foundation.store.encoders import EncoderSpec, check_golden_vectors, encoder_directory, golden_photos, read_spec
from foundation.store.files import Store
from training import objective
from training.fitting.devices import computing
from training.objective import Models
from training.recipe import Recipe

# What a SavedModel keeps its variables in, and the name that one of them has there.
FOLDER = "variables"
NAME = "variables/{}/.ATTRIBUTES/VARIABLE_VALUE"

# The variables of the encoder, named "", and of each head that the encoder was exported with.
InitialWeights = Mapping[str, list[np.ndarray]]


def read_initial_weights(store: Store, encoder_id: str, recipe: Recipe) -> InitialWeights:
    """Reads an encoder's weights and those of its heads, for models of that recipe.

    The recipe's size may be another where the architecture allows it. Raises InputNotFoundError if there is no such
    encoder, ArtifactRefusedError if it is damaged, UsageError if it is of another architecture.
    """
    spec, _ = read_spec(store, encoder_id)
    build = objective.load(recipe.objective).build
    # Half precision, or weights spread over devices, would not answer the golden photos as the encoder did.
    with computing(("CPU:0",), mixed_precision=False):
        models = build(recipe)
        weights = {
            folder: _read(store, spec, folder) for folder in _parts(models) if f"{_prefix(folder)}.index" in spec.files
        }
        assign(models, weights)
        if recipe.size != spec.size:
            models = build(recipe.override(size=spec.size))
            assign(models, weights)
    try:
        check_golden_vectors(spec, np.asarray(models.encoder(golden_photos(spec.size, spec.channels))))
    except ArtifactRefusedError as error:
        raise UsageError(
            f"the weights of encoder {encoder_id} fit the recipe's architecture and answer otherwise in it; expected "
            "the distance and the options that its encoder.json names"
        ) from error
    return weights


def assign(models: Models, weights: InitialWeights) -> None:
    """Gives the models these weights; raises UsageError if they are not those of the same architecture."""
    parts = _parts(models)
    for folder, arrays in weights.items():
        variables = parts[folder].variables
        if [tuple(variable.shape) for variable in variables] != [array.shape for array in arrays]:
            raise UsageError(
                f"the encoder to begin with has {len(arrays)} variables of {sum(array.size for array in arrays):,} "
                f"numbers, the recipe's {len(variables)} of {parts[folder].count_params():,}, or in other shapes; "
                "expected one of the same architecture, dimension and options: its encoder.json names them"
            )
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)


def _parts(models: Models) -> dict[str, keras.Model]:
    return {"": models.encoder, **models.heads}


def _prefix(folder: str) -> str:
    """Returns what the names of the files with the variables begin with, in the encoder's directory."""
    return str(Path(folder, FOLDER, "variables").as_posix())


def _read(store: Store, spec: EncoderSpec, folder: str) -> list[np.ndarray]:
    """Returns the variables of one model of the encoder, from a copy that is verified."""
    import tensorflow as tf

    directory = encoder_directory(spec.encoder_id)
    files = {name: record for name, record in spec.files.items() if name.startswith(_prefix(folder))}
    with tempfile.TemporaryDirectory(prefix="firstseen-weights-") as temporary:
        with store.local_copy(directory, list(files)) as source:
            for name in files:
                copy = Path(temporary, "encoder", name)
                copy.parent.mkdir(parents=True, exist_ok=True)
                if (source / name).exists():  # else the check below names it
                    shutil.copyfile(source / name, copy)
        artifact.verify_files(Store(temporary), "encoder", files, original=directory)
        reader = tf.train.load_checkpoint(str(Path(temporary, "encoder", _prefix(folder))))
        names = reader.get_variable_to_shape_map()
        ordered = [NAME.format(number) for number in range(len(names))]
        return [reader.get_tensor(name) for name in ordered if name in names]
