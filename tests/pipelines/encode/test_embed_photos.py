"""Embedding a batch: rows beside their vectors, what cannot be indexed is a reject, and an error names its photos."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
from apache_beam.pvalue import TaggedOutput

from foundation.encoder import SavedEncoder
from foundation.errors import ArtifactRefusedError
from foundation.store.files import Store
from foundation.store.runs import shard_schema
from pipelines.encode import embed_photos
from pipelines.encode.decode_photos import DecodedPhoto, PhotoBatch
from pipelines.encode.embed_photos import EmbedBatch, shared_encoder, to_table, unusable_vectors
from tests.builders import DIMENSION, encoder_spec, photo_columns


def batch_of(*names: str, chunk: int = 5) -> PhotoBatch:
    """A batch of photos of these names, all black."""
    return PhotoBatch(chunk, [DecodedPhoto(photo_columns(name), np.zeros((8, 8, 3), np.uint8), 1) for name in names])


@pytest.mark.parametrize(
    ("vector", "cosine", "euclidean"),
    [
        ([1, 0, 0, 0], False, False),
        ([0.6, 0, -0.8, 0.001], False, False),
        ([0, 0, 0, 0], True, False),
        ([2, 0, 0, 0], True, False),
        ([np.nan, 1, 0, 0], True, True),
        ([np.inf, 0, 0, 0], True, True),
        ([3e38, 3e38, 0, 0], True, True),
    ],
)
def test_vectors_that_would_break_an_index_are_told(vector: list[float], cosine: bool, euclidean: bool) -> None:
    """Not finite, under either distance; without unit length, where the angle is all that counts."""
    vectors = np.array([vector, [0, 1, 0, 0]], np.float32)
    with np.errstate(over="ignore"):
        assert unusable_vectors(vectors, "cosine").tolist() == [cosine, False]
        assert unusable_vectors(vectors, "euclidean").tolist() == [euclidean, False]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_table_holds_each_photo_beside_its_vector(dtype) -> None:
    """Columns, vectors and metadata are those of the schema."""
    schema = shard_schema(DIMENSION, dtype, encoder_digest="e" * 64, run_id="run")
    vectors = np.random.default_rng(0).standard_normal((3, DIMENSION)).astype(np.float32)
    table = to_table(batch_of("a", "b", "c").photos, vectors, schema)
    assert table.schema.equals(schema, check_metadata=True)
    assert table["photo_id"].to_pylist() == ["a", "b", "c"]
    np.testing.assert_array_equal(np.array(table["embedding"].to_pylist(), dtype), vectors.astype(dtype))


class Encoder:
    """An encoder that gives the vectors it was told to."""

    spec = encoder_spec()

    def __init__(self, vectors: np.ndarray | Exception):
        self._vectors = vectors

    def encode(self, photos: np.ndarray) -> np.ndarray:
        """Returns the vectors; fails if it was told so, or asked for another number of photos."""
        if isinstance(self._vectors, Exception):
            raise self._vectors
        assert photos.shape == (len(self._vectors), 8, 8, 3)
        return self._vectors


@pytest.fixture
def step(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """A function that sets up the step with an encoder of these vectors."""

    def make(vectors: np.ndarray | Exception) -> EmbedBatch:
        monkeypatch.setattr(embed_photos, "shared_encoder", lambda *_: Encoder(vectors))
        schema = shard_schema(DIMENSION, "float32", encoder_digest="e" * 64, run_id="run")
        store = Store(tmp_path)
        made = EmbedBatch(store, "encoder", "e" * 64, schema, batch_size=4, progress_directory=None)
        made.setup()
        return made

    return make


def test_photos_without_a_usable_vector_are_rejects(step) -> None:
    """The others keep the vectors that are theirs."""
    vectors = np.eye(DIMENSION, dtype=np.float32)
    vectors[1] = np.nan
    vectors[2] = 0
    outputs = list(step(vectors).process(batch_of("a", "b", "c", "d")))
    rejects = [one.value for one in outputs if isinstance(one, TaggedOutput)]
    assert [(one.photo_id, one.uri, one.reason) for one in rejects] == [
        ("b", "file:///b", "no_embedding"),
        ("c", "file:///c", "no_embedding"),
    ]
    (table,) = [one for one in outputs if isinstance(one, pa.Table)]
    assert table["photo_id"].to_pylist() == ["a", "d"]
    assert table["embedding"].to_pylist() == vectors[[0, 3]].tolist()


def test_a_batch_of_rejects_alone_gives_no_table(step) -> None:
    """A shard of no rows would be a file that nobody needs."""
    outputs = list(step(np.zeros((2, DIMENSION), np.float32)).process(batch_of("a", "b")))
    assert [type(one) for one in outputs] == [TaggedOutput, TaggedOutput]


def test_an_error_of_the_model_names_chunk_and_photos(step) -> None:
    """Whoever looks for the photo that breaks a model needs to know where to begin."""
    failing = step(ZeroDivisionError("by nothing"))
    with pytest.raises(RuntimeError, match=r"^chunk 5, 2 photos from 'x/a': ZeroDivisionError: by nothing$"):
        list(failing.process(batch_of("x/a", "b")))


def test_the_encoder_is_loaded_once_for_all_threads(
    saved_encoder: SavedEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several instances of the step share one copy of the weights, also when they are set up at the same time."""
    loads = []
    load = embed_photos.load
    monkeypatch.setattr(embed_photos, "load", lambda *args, **named: loads.append(args) or load(*args, **named))
    embed_photos._load.cache_clear()
    key = (saved_encoder.spec.encoder_id, saved_encoder.digest, 4)
    with ThreadPoolExecutor(4) as pool:
        stores = [Store(saved_encoder.store.uri) for _ in range(4)]
        found = list(pool.map(lambda store: shared_encoder(store, *key), stores))
    assert len(loads) == 1
    assert all(one is found[0] for one in found)


def test_an_encoder_of_another_digest_is_refused(saved_encoder: SavedEncoder) -> None:
    """A worker with another copy of the store must not mix vectors into the run."""
    with pytest.raises(ArtifactRefusedError, match="names 000000000000…"):
        shared_encoder(saved_encoder.store, saved_encoder.spec.encoder_id, "0" * 64, 4)
