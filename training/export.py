"""Writes a trained encoder, reloads it, compares its answers, and only then publishes it in the store."""

import math
import tempfile
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from foundation.encoder import load_saved_model
from foundation.errors import ArtifactRefusedError, TrainingDivergedError
from foundation.photos import photo
from foundation.store import artifact
from foundation.store.encoders import (
    ENCODER_DESCRIPTION,
    GOLDEN_PHOTOS,
    GOLDEN_TOLERANCE,
    EncoderSpec,
    Scalar,
    distance_moved,
    encoder_directory,
    encoder_id_for,
    golden_photos,
)
from foundation.store.files import Store
from training.lite_model import NotConvertibleError, write_lite_model
from training.objective import Models
from training.recipe import Recipe

RANDOM_PHOTOS = 8
# Another order of the same float32 sums moves a component by far less, a lost weight by far more.
TOLERANCE = 1e-4
RECORDED_VERSIONS = ("firstseen", "tensorflow", "tensorflow-cpu", "ai-edge-litert", "keras", "numpy")


def export(models: Models, *, store: Store, name: str, recipe: Recipe, training: Mapping[str, Scalar]) -> str:
    """Publishes an encoder of float32 weights and its heads in the store; returns the encoder's id.

    It is written as SavedModel and, where it can be converted, as LiteRT model for CPUs. `name` is the recipe's,
    `training` says how it was trained. Raises ArtifactRefusedError, and publishes nothing, if a written model answers
    otherwise than the one in memory.
    """
    with tempfile.TemporaryDirectory(prefix="firstseen-export-") as temporary:
        directory = Path(temporary, "encoder")
        # The id is a digest of the files: they have to be written before their place in the store has a name.
        _write(models.encoder, directory)
        for folder, head in models.heads.items():
            _write(head, directory / folder)
        photos = _photos(recipe)
        vectors = _compare(models, directory, recipe, photos)
        no_lite_model = _write_lite(directory, photos, vectors)
        names = sorted(str(file.relative_to(directory).as_posix()) for file in directory.rglob("*") if file.is_file())
        files = artifact.record(Store(temporary), directory.name, names)
        spec = EncoderSpec(
            encoder_id=encoder_id_for(name, files),
            recipe=name,
            created_at=artifact.now(),
            size=recipe.size,
            channels=recipe.channels,
            dimension=recipe.dimension,
            distance=recipe.distance,
            decode_rule=photo.DECODE_RULE,
            golden_vectors=np.round(vectors[:GOLDEN_PHOTOS].astype(float), 8).tolist(),
            files=files,
            training=dict(training),
            versions=artifact.versions_of(*RECORDED_VERSIONS),
            no_lite_model=no_lite_model,
        )
        _publish(directory, spec, store)
    return spec.encoder_id


def _write(model: keras.Model, directory: Path) -> None:
    takes = keras.InputSpec(shape=model.input_shape, dtype=model.input.dtype)
    model.export(directory, input_signature=[takes], verbose=False)


def _photos(recipe: Recipe) -> np.ndarray:
    """Returns what the written models are compared on, the golden photos first: uint8 [n, size, size, channels]."""
    # Golden photos are regular waves, and stay in the description; random ones reach what waves do not.
    golden = golden_photos(recipe.size, recipe.channels)
    random = np.random.default_rng(0).integers(0, 256, (RANDOM_PHOTOS, *golden.shape[1:]), np.uint8)
    return np.concatenate([golden, random])


def _compare(models: Models, directory: Path, recipe: Recipe, photos: np.ndarray) -> np.ndarray:
    """Returns the written encoder's answers to the photos: float32 [n, dimension]."""
    trained = np.asarray(models.encoder(photos))
    if not np.isfinite(trained).all():
        raise TrainingDivergedError(
            "training diverged in its last steps: the encoder gives values that are not finite; lower --learning-rate"
        )
    # By the very function that serves photos later: an export that only Keras can read is found here.
    vectors = load_saved_model(directory)(photos)
    _require_equal("encoder", vectors, trained)
    lengths = np.linalg.norm(vectors, axis=1)
    if recipe.distance == "cosine" and not np.allclose(lengths, 1, atol=1e-3):
        raise ArtifactRefusedError(
            f"the encoder gives vectors of length {lengths.min():.4f} to {lengths.max():.4f}, expected 1 for the "
            "distance 'cosine': lower --learning-rate, or end its architecture with `code`"
        )
    for folder, head in models.heads.items():
        _require_equal(folder, load_saved_model(directory / folder)(vectors), np.asarray(head(vectors)))
    return vectors


def _write_lite(directory: Path, photos: np.ndarray, vectors: np.ndarray) -> str | None:
    """Writes the LiteRT model and compares its answers with the SavedModel's; returns why there is none, or None."""
    try:
        answers = write_lite_model(directory, photos)
    except NotConvertibleError as error:
        return str(error)
    # As near as `load` will ask for: another library adds up in another order, and deep networks multiply that.
    moved = distance_moved(answers, vectors)
    if not moved <= GOLDEN_TOLERANCE:
        raise ArtifactRefusedError(
            f"the encoder's LiteRT form differs from its SavedModel by {moved:.2%} of the vectors' length, expected at "
            f"most {GOLDEN_TOLERANCE:.0%}; nothing was published: install the tensorflow and ai-edge-litert of "
            "infra/constraints.txt, and repeat the command"
        )
    return None


def _require_equal(what: str, written: np.ndarray, in_memory: np.ndarray) -> None:
    if written.dtype != np.float32 or written.shape != in_memory.shape:
        raise ArtifactRefusedError(
            f"the exported {what} gives {written.dtype} {list(written.shape)}, expected float32 {list(in_memory.shape)}"
        )
    scale = max(1.0, float(np.abs(in_memory).max()))
    error = float(np.abs(written - in_memory).max()) / scale
    if not (math.isfinite(error) and error <= TOLERANCE):
        raise ArtifactRefusedError(
            f"the exported {what} differs by {error:.2g} from the trained one, expected at most {TOLERANCE:g}; "
            "nothing was published: train again"
        )


def _publish(directory: Path, spec: EncoderSpec, store: Store) -> None:
    target = encoder_directory(spec.encoder_id)
    description = f"{target}/{ENCODER_DESCRIPTION}"
    if store.exists(description):
        return  # the very same files, described and finished
    # The description comes last: until then nobody takes the directory for an encoder.
    for name in spec.files:
        store.upload(f"{target}/{name}", directory / name)
    artifact.finish(store, description, spec)
