"""CONTRACT within the study: what is known of one encoder on one data set after it was trained and evaluated.

A new field has a default, so that results of hours ago stay readable.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal
from zipfile import BadZipFile

import numpy as np
from pydantic import TypeAdapter, ValidationError

from evaluation.metrics import Retrieval
from foundation.errors import ArtifactRefusedError
from foundation.store import artifact

Kind = Literal["autoencoder", "variational", "denoising", "baseline"]
DISTURBANCES = ("noise", "blur", "shift", "rotation", "occlusion")
DESCRIPTION = "result.json"
EXAMPLES = "examples.npz"
# Beside the entries of a data set: the digest of the photos that it was last studied with.
PHOTOS = "photos.txt"


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Mean squared errors of the reconstruction, of pixels in [0, 1]."""

    training: float
    validation: float
    test: float


@dataclass(frozen=True, kw_only=True)
class Result:
    """One entry (an encoder of a recipe, or a baseline) on one data set.

    `photos` is the digest of the photos; `number` the place in the list of the literature's systems, 0 for a baseline;
    `settings` those of the training, its options among them (results of older versions have none); `history` holds
    the loss and the validation loss of each epoch. `robustness` is, by disturbance, the share of disturbed test photos
    whose clean photo is found first among all of the test split. Of the baselines, which have no recipe, only PCA has
    errors. Rate and time are measured last, for all entries one after the other.
    """

    __pydantic_config__: ClassVar = artifact.STRICT

    dataset: str
    entry: str
    title: str
    kind: Kind
    number: int
    dimension: int
    distance: str
    photos: str
    retrieval: Retrieval
    robustness: dict[str, float]
    recipe: str | None = None
    encoder_id: str | None = None
    parameters: int | None = None
    encode_per_second: float | None = None
    training_seconds: float | None = None
    errors: Errors | None = None
    history: list[list[float]] = field(default_factory=list)
    settings: dict[str, int | float | str | bool] | None = None


def read_result(directory: Path) -> Result:
    """Returns the result of one entry; raises ArtifactRefusedError if it is damaged."""
    path = directory / DESCRIPTION
    try:
        return TypeAdapter(Result).validate_json(path.read_bytes())
    except ValidationError as error:
        problem = artifact.validation_problem(error, path)
        raise ArtifactRefusedError(f"{problem}; remove it and run `firstseen study` again") from error


def read_examples(directory: Path) -> dict[str, np.ndarray]:
    """Returns the arrays kept for the pictures, by name; no pickles are read.

    Raises ArtifactRefusedError if the file is damaged.
    """
    path = directory / EXAMPLES
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return dict(stored)
    except (BadZipFile, ValueError, EOFError, KeyError) as error:
        raise ArtifactRefusedError(
            f"{path} is damaged ({error}); remove {directory} and run the study again"
        ) from error
