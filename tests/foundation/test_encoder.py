"""Encoders of the store: checked before they are loaded, exact about what they take."""

import dataclasses
import shutil

import numpy as np
import pytest

from foundation import encoder as encoder_module
from foundation.encoder import load
from foundation.errors import ArtifactRefusedError, InputNotFoundError, UsageError
from foundation.models.lite_model import LiteModel
from foundation.models.saved_model import SavedModel
from foundation.store import artifact
from foundation.store.encoders import LITE_MODEL, encoder_id_for, read_spec
from foundation.store.files import Store

FORMS = {"cpu": LiteModel, "gpu": SavedModel}


@pytest.fixture(params=FORMS)
def device(request, monkeypatch) -> str:
    """`load` finds no GPU, or one: each form of the encoder is held to the same."""
    monkeypatch.setattr(encoder_module, "is_gpu_usable", lambda: request.param == "gpu")
    return request.param


@pytest.fixture
def loaded(encoder_store, only_encoder, device):
    """The encoder of the shared store in one of its forms, which computes four photos at a time."""
    encoder = load(Store(encoder_store), only_encoder(encoder_store), batch_size=4)
    assert isinstance(encoder._model, FORMS[device])
    return encoder


def photos_for(encoder, count: int) -> np.ndarray:
    """Random photos of the encoder's shape."""
    shape = (count, encoder.spec.size, encoder.spec.size, encoder.spec.channels)
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_vectors_have_unit_length_and_do_not_depend_on_the_batch(loaded):
    """Any number of photos is split and padded without a trace in the answers."""
    photos = photos_for(loaded, 11)
    vectors = loaded.encode(photos)
    assert (vectors.shape, vectors.dtype) == ((11, loaded.spec.dimension), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    one_by_one = np.concatenate([loaded.encode(photos[at : at + 1]) for at in range(11)])
    np.testing.assert_allclose(vectors, one_by_one, atol=1e-5)


def test_both_forms_give_the_same_vectors(encoder_store, only_encoder, monkeypatch):
    """What was encoded on a CPU is found by a lookup on a GPU, and the other way round."""
    store, vectors = Store(encoder_store), []
    for is_gpu in (False, True):
        monkeypatch.setattr(encoder_module, "is_gpu_usable", lambda is_gpu=is_gpu: is_gpu)
        encoder = load(store, only_encoder(store))
        vectors.append(encoder.encode(photos_for(encoder, 20)))
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-5)
    assert len(np.unique(vectors[0], axis=0)) == 20


def test_an_encoder_without_a_form_for_cpus_is_loaded_by_tensorflow(store, only_encoder, saved_encoder):
    """One that an earlier version exported, or that LiteRT has no operations for, is used as before."""
    spec, _ = read_spec(Store(store), only_encoder(store))
    files = {name: record for name, record in spec.files.items() if name != LITE_MODEL}
    loaded = load(Store(store), rewrite_spec(store, only_encoder(store), files=files))
    assert isinstance(loaded._model, SavedModel)
    photos = photos_for(saved_encoder, 3)
    np.testing.assert_allclose(loaded.encode(photos), saved_encoder.encode(photos), atol=1e-5)


def test_no_photos_give_no_vectors(saved_encoder):
    """An empty batch is answered, not an error."""
    assert saved_encoder.encode(photos_for(saved_encoder, 0)).shape == (0, saved_encoder.spec.dimension)


def test_vectors_decode_to_photos(saved_encoder):
    """The decoder takes exactly what the encoder gives."""
    photos = photos_for(saved_encoder, 3)
    decoded = saved_encoder.decode(saved_encoder.encode(photos))
    assert (decoded.shape, decoded.dtype) == (photos.shape, np.float32)
    assert decoded.min() >= 0
    assert decoded.max() <= 1


def test_wrong_arrays_are_refused_with_what_was_expected(saved_encoder):
    """Shape and dtype are checked before anything is computed."""
    size = saved_encoder.spec.size
    with pytest.raises(UsageError, match=rf"photos are float32 .*; expected uint8 \[n, {size}, {size}, 3\]"):
        saved_encoder.encode(photos_for(saved_encoder, 1).astype(np.float32))
    with pytest.raises(UsageError, match=r"photos are uint8 \[1, 8, 8, 3\]; expected"):
        saved_encoder.encode(np.zeros((1, 8, 8, 3), np.uint8))
    with pytest.raises(UsageError, match="vectors are float64"):
        saved_encoder.decode(np.zeros((1, saved_encoder.spec.dimension)))


def test_the_digest_asked_for_is_the_digest_loaded(encoder_store, only_encoder, saved_encoder):
    """The right digest loads; another is refused, and both are named."""
    store = Store(encoder_store)
    loaded = load(store, only_encoder(store), expected_digest=saved_encoder.digest)
    assert loaded.digest == saved_encoder.digest
    with pytest.raises(
        ArtifactRefusedError, match=f"has the digest {saved_encoder.digest[:12]}…, .* names {'0' * 12}…"
    ):
        load(store, only_encoder(store), expected_digest="0" * 64)


@pytest.mark.parametrize(
    "name", [LITE_MODEL, "saved_model.pb", "variables/variables.data-00000-of-00001", "decoder/saved_model.pb"]
)
def test_a_flipped_bit_is_refused_before_loading(store, only_encoder, device, monkeypatch, name):
    """Neither TensorFlow nor LiteRT sees any file of an encoder if the digest of one is wrong."""
    path = store / "encoders" / only_encoder(store) / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    monkeypatch.setattr(encoder_module, "load_saved_model", None)
    monkeypatch.setattr(encoder_module, "load_fused_model", None)
    monkeypatch.setattr(encoder_module, "LiteModel", None)
    with pytest.raises(ArtifactRefusedError, match=f"{name} is damaged"):
        load(Store(store), only_encoder(store))


def test_a_program_that_changed_since_it_was_checked_is_refused(store, only_encoder, monkeypatch):
    """The bytes that LiteRT gets are those whose digest was taken."""
    path = store / "encoders" / only_encoder(store) / LITE_MODEL
    path.write_bytes(path.read_bytes() + b"more")
    monkeypatch.setattr(encoder_module, "is_gpu_usable", lambda: False)
    monkeypatch.setattr(encoder_module, "verify_once", lambda *_, **__: None)
    monkeypatch.setattr(encoder_module, "LiteModel", None)
    with pytest.raises(ArtifactRefusedError, match=f"{LITE_MODEL} has the digest"):
        load(Store(store), only_encoder(store))


def test_a_missing_file_is_named(store, only_encoder):
    """A file that is listed and gone ends with its name."""
    (store / "encoders" / only_encoder(store) / "variables" / "variables.index").unlink()
    with pytest.raises(InputNotFoundError, match=r"variables\.index"):
        load(Store(store), only_encoder(store))


def test_an_unlisted_program_is_not_loaded(store, only_encoder, saved_encoder, monkeypatch):
    """TensorFlow prefers `saved_model.cpb` where there is one: a file that nobody listed must not run."""
    directory = store / "encoders" / only_encoder(store)
    (directory / "saved_model.cpb").write_bytes(b"something else")
    monkeypatch.setattr(encoder_module, "is_gpu_usable", lambda: True)
    photos = photos_for(saved_encoder, 2)
    np.testing.assert_allclose(
        load(Store(store), only_encoder(store)).encode(photos), saved_encoder.encode(photos), atol=1e-5
    )


def rewrite_spec(store, encoder_id, **changes):
    """Writes the encoder's description anew with other values, as if it had been published so."""
    opened = Store(store)
    spec, _ = read_spec(opened, encoder_id)
    files = changes.get("files", spec.files)
    new_id = encoder_id_for(spec.recipe, files)
    source, target = store / "encoders" / encoder_id, store / "encoders" / new_id
    if new_id != encoder_id:
        shutil.copytree(source, target)
    (target / "encoder.json").unlink()
    artifact.finish(
        opened,
        f"encoders/{new_id}/encoder.json",
        dataclasses.replace(spec, encoder_id=new_id, **changes),
    )
    return new_id


def test_another_decode_rule_is_refused(store, only_encoder):
    """Photos decoded otherwise than in training would drift: both rules are named."""
    encoder_id = rewrite_spec(store, only_encoder(store), decode_rule=99)
    with pytest.raises(ArtifactRefusedError, match="decode rule 99, this program decodes by rule 1"):
        load(Store(store), encoder_id)


def test_moved_answers_are_refused(store, only_encoder, device):
    """An encoder that no longer gives its golden vectors is not used."""
    spec, _ = read_spec(Store(store), only_encoder(store))
    golden = [[-value for value in vector] for vector in spec.golden_vectors]
    encoder_id = rewrite_spec(store, only_encoder(store), golden_vectors=golden)
    with pytest.raises(ArtifactRefusedError, match="differs from its golden vectors"):
        load(Store(store), encoder_id)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 32}, r"takes uint8 \[n, 16, 16, 3\], encoder.json says uint8 \[n, 32, 32, 3\]; restore"),
        ({"channels": 1}, r"takes uint8 \[n, 16, 16, 3\], encoder.json says uint8 \[n, 16, 16, 1\]; restore"),
        ({"dimension": 99}, r"gives float32 \[n, 16\], encoder.json says float32 \[n, 99\]; restore"),
    ],
)
def test_sizes_that_the_model_contradicts_are_refused(store, only_encoder, device, changes, message):
    """encoder.json says what an encode plans with: shards of another width would be written before anyone notices."""
    encoder_id = rewrite_spec(store, only_encoder(store), **changes)
    model = f"/{LITE_MODEL}" if device == "cpu" else ""
    with pytest.raises(ArtifactRefusedError, match=rf"encoders/{encoder_id}{model} {message}"):
        load(Store(store), encoder_id)


def test_a_decoder_of_other_sizes_is_refused(store, only_encoder):
    """The decoder is loaded when it is first asked for, and checked then."""
    loaded = load(Store(store), only_encoder(store))
    loaded.spec = dataclasses.replace(loaded.spec, dimension=5)
    with pytest.raises(ArtifactRefusedError, match=r"/decoder takes float32 \[n, 16\], encoder.json says .* \[n, 5\]"):
        loaded.decode(np.zeros((1, 5), np.float32))


def test_a_file_outside_the_encoder_is_refused(store, only_encoder):
    """A description cannot make the program read or write beyond the encoder's directory."""
    spec, _ = read_spec(Store(store), only_encoder(store))
    files = {**spec.files, "../../escape": next(iter(spec.files.values()))}
    with pytest.raises(ArtifactRefusedError, match=r"damaged at 'files"):
        load(Store(store), rewrite_spec(store, only_encoder(store), files=files))


def test_an_encoder_without_decoder_says_so(store, only_encoder):
    """Not every encoder is an autoencoder."""
    spec, _ = read_spec(Store(store), only_encoder(store))
    files = {name: record for name, record in spec.files.items() if not name.startswith("decoder/")}
    loaded = load(Store(store), rewrite_spec(store, only_encoder(store), files=files))
    with pytest.raises(UsageError, match="has no decoder"):
        loaded.decode(np.zeros((1, spec.dimension), np.float32))


def test_a_copied_store_gives_the_same_vectors(store, only_encoder, saved_encoder):
    """Nothing in an encoder knows where it lies."""
    photos = photos_for(saved_encoder, 5)
    moved = load(Store(store), only_encoder(store))
    np.testing.assert_allclose(moved.encode(photos), saved_encoder.encode(photos), atol=1e-5)


def test_encoding_on_a_cpu_imports_no_tensorflow(encoder_store, only_encoder, run_python):
    """An encoder with a form for CPUs is loaded, checked and run by LiteRT alone."""
    encoder_id = only_encoder(encoder_store)
    run_python(
        "import sys, numpy as np\n"
        "from foundation import encoder\n"
        "from foundation.store.files import Store\n"
        "encoder.is_gpu_usable = lambda: False\n"
        f"loaded = encoder.load(Store({str(encoder_store)!r}), {encoder_id!r})\n"
        "loaded.encode(np.zeros((1, *loaded.spec.photo_shape), np.uint8))\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )


def test_importing_the_module_imports_no_tensorflow(run_python):
    """The pipelines plan and the command line starts without TensorFlow."""
    run_python(
        "import sys, foundation.encoder, firstseen.demo.archive;"
        "assert not {'tensorflow', 'keras', 'skimage', 'sklearn'} & set(sys.modules)"
    )
