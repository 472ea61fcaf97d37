"""Embedding a batch: rows beside their vectors, and what cannot be indexed is told."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest

from foundation.encoder import SavedEncoder
from foundation.errors import ArtifactRefusedError
from foundation.store.files import Store
from foundation.store.run_tables import shard_schema
from pipelines.encode import embed_photos
from pipelines.encode.decode_photos import DecodedPhoto
from pipelines.encode.embed_photos import shared_encoder, to_table, unusable_vectors
from tests.builders import DIMENSION, content, encoder_spec, photo_columns


def photos_of(*names: str) -> list[DecodedPhoto]:
    """Photos of these names, all black."""
    return [DecodedPhoto(photo_columns(name), np.zeros((8, 8, 3), np.uint8), 1) for name in names]


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
    table = to_table(photos_of("a", "b", "c"), vectors, schema)
    assert table.schema.equals(schema, check_metadata=True)
    assert table["photo_id"].to_pylist() == ["a", "b", "c"]
    np.testing.assert_array_equal(np.array(table["embedding"].to_pylist(), dtype), vectors.astype(dtype))


class Encoder:
    """An encoder that gives the vectors it was told to."""

    spec = encoder_spec()

    def __init__(self, vectors: np.ndarray):
        self._vectors = vectors

    def encode(self, photos: np.ndarray) -> np.ndarray:
        """Returns the vectors; fails if it is asked for another number of photos."""
        assert photos.shape == (len(self._vectors), 8, 8, 3)
        return self._vectors


@pytest.fixture
def schema() -> pa.Schema:
    """The columns of a shard."""
    return shard_schema(DIMENSION, "float32", encoder_digest="e" * 64, run_id="run")


def test_photos_without_a_usable_vector_have_no_row(schema: pa.Schema) -> None:
    """The others keep the vectors that are theirs."""
    vectors = np.eye(DIMENSION, dtype=np.float32)
    vectors[1] = np.nan
    vectors[2] = 0
    table, unusable = embed_photos.embed_photos(Encoder(vectors), photos_of("a", "b", "c", "d"), schema)
    assert table is not None
    assert table["photo_id"].to_pylist() == ["a", "d"]
    assert table["embedding"].to_pylist() == vectors[[0, 3]].tolist()
    assert unusable == {content("b"), content("c")}


def test_photos_without_any_usable_vector_give_no_table(schema: pa.Schema) -> None:
    """A shard of no rows would be a file that nobody needs."""
    vectors = np.zeros((2, DIMENSION), np.float32)
    found = embed_photos.embed_photos(Encoder(vectors), photos_of("a", "b"), schema)
    assert found == (None, {content("a"), content("b")})


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
