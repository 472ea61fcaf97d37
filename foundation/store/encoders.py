"""CONTRACT: encoder.json, which says what an encoder takes and gives, and pins every byte of it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from foundation.errors import ArtifactRefusedError, InputNotFoundError
from foundation.store import artifact
from foundation.store.artifact import FileRecord, Files, Timestamp
from foundation.store.files import Store

if TYPE_CHECKING:
    import numpy as np

ENCODERS = "encoders"
ENCODER_DESCRIPTION = "encoder.json"
# The encoder once more, in the form for CPUs, beside the SavedModel; some encoders cannot be converted and have none.
LITE_MODEL = "model.tflite"
GOLDEN_PHOTOS = 4
# A share of the vectors' length: half precision on other hardware stays far below, a wrong or damaged model does not.
GOLDEN_TOLERANCE = 1e-2

Scalar = int | float | str | bool | None


@dataclass(frozen=True, kw_only=True)
class EncoderSpec:
    """An encoder: uint8 photos `[batch, size, size, channels]` to float32 vectors `[batch, dimension]`.

    `distance` says how vectors compare: `cosine` (they have unit length) or `euclidean`. `decode_rule` is the version
    of the photo decoder it was trained with. `golden_vectors` are its answers to `golden_photos`. `files` lists the
    SavedModel and, where there is one, its LiteRT form; `no_lite_model` says why there is none.
    """

    __pydantic_config__: ClassVar = artifact.CONTRACT

    encoder_id: str
    recipe: str
    created_at: Timestamp
    size: int
    channels: int
    dimension: int
    distance: Literal["cosine", "euclidean"]
    decode_rule: int
    golden_vectors: list[list[float]]
    files: Files
    contract_version: int = 1
    training: dict[str, Scalar] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    # Added within version 1: a program that knows neither this nor the file loads the SavedModel.
    no_lite_model: str | None = None

    @property
    def photo_shape(self) -> tuple[int, int, int]:
        """The shape of one photo: (size, size, channels)."""
        return self.size, self.size, self.channels


def encoder_directory(encoder_id: str) -> str:
    """Returns the path of an encoder in the store."""
    return f"{ENCODERS}/{encoder_id}"


def has_lite_model(spec: EncoderSpec) -> bool:
    """Returns whether the encoder was exported in the LiteRT form, too."""
    return LITE_MODEL in spec.files


def encoder_id_for(recipe: str, files: dict[str, FileRecord]) -> str:
    """Returns the name of an encoder: its recipe and the digest of its files, so that a name pins a program."""
    content = "".join(f"{name} {record.sha256}\n" for name, record in sorted(files.items()))
    return f"{recipe}-{artifact.digest_of(content.encode())[:12]}"


def list_encoders(store: Store) -> list[str]:
    """Returns the ids of the finished encoders of the store, sorted."""
    return [
        name for name in store.directories(ENCODERS) if store.exists(f"{encoder_directory(name)}/{ENCODER_DESCRIPTION}")
    ]


def read_spec(store: Store, encoder_id: str) -> tuple[EncoderSpec, str]:
    """Returns (spec, digest) of one encoder.

    Raises InputNotFoundError listing the encoders there are, ArtifactRefusedError if the spec is not this encoder's.
    """
    path = f"{encoder_directory(encoder_id)}/{ENCODER_DESCRIPTION}"
    if not store.exists(path):
        known = ", ".join(list_encoders(store)) or "none; `firstseen encode` puts one there"
        raise InputNotFoundError(f"no encoder {encoder_id!r} in store {store.uri}; it has: {known}")
    data = store.read(path)
    spec, digest = artifact.from_json(data, EncoderSpec, path=path, remedy=artifact.REMEDY), artifact.digest_of(data)
    # The id ends in the digest of the files: a renamed directory, or an exchanged file, shows before a model is read.
    if encoder_id_for(spec.recipe, spec.files) != encoder_id or spec.encoder_id != encoder_id:
        raise ArtifactRefusedError(
            f"{path} describes other files than encoder {encoder_id!r} was named after; restore the directory"
        )
    return spec, digest


def golden_photos(size: int, channels: int) -> "np.ndarray":
    """Returns uint8 [4, size, size, channels]: fixed waves of integer arithmetic, the same on every machine."""
    import numpy as np

    # Random numbers, sines or a resized photo could change with a library's version, and every encoder with them.
    row, column, channel = np.ogrid[:size, :size, :channels]
    waves = [(row * 3 + column * step + channel * 50) % 256 for step in range(1, GOLDEN_PHOTOS + 1)]
    return np.stack([np.broadcast_to(wave, (size, size, channels)) for wave in waves]).astype(np.uint8)


def distance_moved(vectors: "np.ndarray", expected: "np.ndarray") -> float:
    """Returns how far the one that moved most is from what was expected, as a share of the vectors' length.

    Both float32 [n, dimension]. For vectors of unit length, 0.01 is a cosine of 0.99995.
    """
    import numpy as np

    length = np.linalg.norm(expected, axis=1).max()
    return float(np.linalg.norm(vectors - expected, axis=1).max() / max(length, 1e-12))


def check_golden_vectors(spec: EncoderSpec, vectors: "np.ndarray", *, tolerance: float = GOLDEN_TOLERANCE) -> None:
    """Raises ArtifactRefusedError if the encoder's answers to `golden_photos` moved.

    vectors: float32 [4, dimension]. The tolerance is a share of the vectors' length.
    """
    import numpy as np

    try:
        expected = np.asarray(spec.golden_vectors, np.float32)
    except ValueError as error:
        raise ArtifactRefusedError(f"encoder {spec.encoder_id} lists golden vectors that differ in length") from error
    if vectors.shape != expected.shape or not np.isfinite(vectors).all():
        raise ArtifactRefusedError(
            f"encoder {spec.encoder_id} gives vectors {vectors.shape}, expected finite {expected.shape}; restore it"
        )
    moved = distance_moved(vectors, expected)
    if not moved <= tolerance:  # golden vectors that are not finite compare as false
        raise ArtifactRefusedError(
            f"encoder {spec.encoder_id} differs from its golden vectors by {moved:.2%}, expected under "
            f"{tolerance:.0%}; TensorFlow, LiteRT or the hardware computes otherwise here than where it was exported"
        )
