"""Loads an encoder of the store and checks it on the way: uint8 photos in, float32 vectors out."""

import shutil
import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np

from foundation.checks import require_digest
from foundation.errors import ArtifactRefusedError, UsageError
from foundation.models.gpu import is_gpu_usable
from foundation.models.lite_model import LiteModel
from foundation.models.rows import Model, Rows
from foundation.models.saved_model import SavedModel
from foundation.photos import photo
from foundation.store import artifact
from foundation.store.checked import verify_once
from foundation.store.encoders import (
    LITE_MODEL,
    EncoderSpec,
    check_golden_vectors,
    encoder_directory,
    golden_photos,
    has_lite_model,
    read_spec,
)
from foundation.store.files import Store

DECODER = "decoder"


class SavedEncoder:
    """A loaded encoder; made by `load`. `batch_size` is the most photos that are computed at a time."""

    def __init__(
        self,
        store: Store,
        spec: EncoderSpec,
        digest: str,
        model: Model,
        *,
        batch_size: int,
    ):
        self.store = store
        self.spec = spec
        self.digest = digest
        self.batch_size = batch_size
        self._model = model

    def encode(self, photos: np.ndarray) -> np.ndarray:
        """Returns float32 [n, dimension] for uint8 [n, size, size, channels]; raises UsageError on anything else."""
        _require(photos, Rows(np.uint8, self.spec.photo_shape), "photos")
        return self._in_batches(self._model, photos, (self.spec.dimension,))

    def decode(self, vectors: np.ndarray) -> np.ndarray:
        """Returns the photos that the vectors stand for: float32 [n, size, size, channels] in [0, 1]."""
        _require(vectors, Rows(np.float32, (self.spec.dimension,)), "vectors")
        return self._in_batches(self._decoder, vectors, self.spec.photo_shape)

    @cached_property
    def _decoder(self) -> Model:
        if not has_decoder(self.spec):
            raise UsageError(f"encoder {self.spec.encoder_id} has no decoder; expected one trained as an autoencoder")
        vectors, photos = Rows(np.float32, (self.spec.dimension,)), Rows(np.float32, self.spec.photo_shape)
        decoder = _load_copy(self.store, self.spec, DECODER, load_saved_model)
        _require_signatures(self.spec, DECODER, decoder, takes=vectors, gives=photos)
        return decoder

    def _in_batches(self, model: Model, inputs: np.ndarray, row_shape: tuple[int, ...]) -> np.ndarray:
        # Written into one array: joining the batches at the end would hold everything twice.
        outputs = np.empty((len(inputs), *row_shape), np.float32)
        for start in range(0, len(inputs), self.batch_size):
            batch = inputs[start : start + self.batch_size]
            outputs[start : start + len(batch)] = model(_padded(batch, self.batch_size))[: len(batch)]
        return outputs


def has_decoder(spec: EncoderSpec) -> bool:
    """Returns whether the encoder was exported with a decoder, as autoencoders are."""
    return any(name.startswith(f"{DECODER}/") for name in spec.files)


def load(store: Store, encoder_id: str, *, expected_digest: str | None = None, batch_size: int = 64) -> SavedEncoder:
    """Loads an encoder of the store after checking its digest, every file, and its answers to the golden photos.

    On a CPU its LiteRT form is loaded, if it has one, and TensorFlow is not imported; the SavedModel otherwise.
    `expected_digest` is the one that a run, a segment or a snapshot names. Raises InputNotFoundError if there is no
    such encoder, ArtifactRefusedError if it is another one, damaged, trained with other decode rules than this
    program's, or of other sizes than its description says.
    """
    spec, digest = read_spec(store, encoder_id)
    if expected_digest is not None:
        require_digest(
            f"encoder {encoder_id} in store {store.uri}",
            digest,
            expected=expected_digest,
            named_by="what was made with it",
            remedy="restore the encoder that was used before, or encode the archive again with this one",
        )
    # Other pixels for the same bytes: the scores would drift without any error.
    if spec.decode_rule != photo.DECODE_RULE:
        raise ArtifactRefusedError(
            f"encoder {encoder_id} was trained with decode rule {spec.decode_rule}, this program decodes by rule "
            f"{photo.DECODE_RULE}: use the version of firstseen that trained it, or train again"
        )
    has_gpu = is_gpu_usable()
    if has_lite_model(spec) and not has_gpu:
        path, model = LITE_MODEL, _load_lite(store, spec)
    else:
        path, model = ".", _load_copy(store, spec, ".", load_fused_model if has_gpu else load_saved_model)
    takes, gives = Rows(np.uint8, spec.photo_shape), Rows(np.float32, (spec.dimension,))
    _require_signatures(spec, path, model, takes=takes, gives=gives)
    # Digests say that the files are the right ones, golden vectors that this library and this machine run them so.
    check_golden_vectors(spec, model(golden_photos(spec.size, spec.channels)))
    return SavedEncoder(store, spec, digest, model, batch_size=batch_size)


def load_saved_model(directory: Path) -> Model:
    """Loads a SavedModel; it is a program: check its digest first."""
    return SavedModel(directory)


def load_fused_model(directory: Path) -> Model:
    """Loads a SavedModel for a GPU, as `load_saved_model` does."""
    return SavedModel(directory, fused=True)


def load_lite_model(path: Path) -> Model:
    """Loads a LiteRT model; check its digest first, for its kernels trust what the file says of itself."""
    return LiteModel(path.read_bytes())


def _load_lite(store: Store, spec: EncoderSpec) -> Model:
    """Loads the LiteRT form from the bytes that were held against its digest, and checks the other listed files."""
    prefix, names = encoder_directory(spec.encoder_id), list(spec.files)
    with store.local_copy(prefix, names) as source:
        verify_once(Store(source), ".", spec.files, original=prefix)
        content = (source / LITE_MODEL).read_bytes()
    # That they were checked lately is enough for files that are not read; this one is a program, and could have changed
    # since.
    path, expected = f"{prefix}/{LITE_MODEL}", spec.files[LITE_MODEL].sha256
    found = artifact.digest_of(content)
    require_digest(path, found, expected=expected, named_by="encoder.json", remedy=artifact.REMEDY)
    return LiteModel(content)


def _load_copy(store: Store, spec: EncoderSpec, path: str, load_model: Callable[[Path], Model]) -> Model:
    """Loads one model of the encoder from a private copy of the listed files, verified after copying.

    `path` is where the model lies in the encoder's directory. TensorFlow would prefer an unlisted `saved_model.cpb`
    beside the listed program, and a file of the store could change between the check and the load.
    """
    prefix, names = encoder_directory(spec.encoder_id), list(spec.files)
    with (
        tempfile.TemporaryDirectory(prefix="firstseen-encoder-") as temporary,
        store.local_copy(prefix, names) as source,
    ):
        for name in names:
            copy = Path(temporary, "encoder", name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            # A file that is missing is left to the check below, which names it.
            if (source / name).exists():
                shutil.copyfile(source / name, copy)
        artifact.verify_files(Store(temporary), "encoder", spec.files, original=prefix)
        return load_model(Path(temporary, "encoder", path))


def _require_signatures(spec: EncoderSpec, path: str, model: Model, *, takes: Rows, gives: Rows) -> None:
    """Raises ArtifactRefusedError unless a model takes and gives what encoder.json says that it does."""
    where = f"{encoder_directory(spec.encoder_id)}/{path}".removesuffix("/.")
    _require_signature(f"{where} takes", model.takes, takes)
    _require_signature(f"{where} gives", model.gives, gives)


def _padded(batch: np.ndarray, batch_size: int) -> np.ndarray:
    """Fills the batch with zeros up to the next power of two, so that few shapes are ever compiled."""
    # A GPU chooses its kernels anew for each shape that it meets, which costs more than some rows of zeros.
    shape = min(1 << (len(batch) - 1).bit_length(), batch_size)
    if shape == len(batch):
        return batch
    return np.concatenate([batch, np.zeros((shape - len(batch), *batch.shape[1:]), batch.dtype)])


def _require(array: np.ndarray, expected: Rows, what: str) -> None:
    if array.dtype != expected.dtype or array.shape[1:] != expected.shape:
        raise UsageError(f"{what} are {array.dtype} {list(array.shape)}; expected {expected}")


def _require_signature(what: str, found: Rows, expected: Rows) -> None:
    if not found.admits(expected):
        raise ArtifactRefusedError(
            f"{what} {found}, encoder.json says {expected}; restore encoder.json from a copy, or train again"
        )
