"""LiteRT models: any batch, from any thread, and nothing on the terminal."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from foundation.models.lite_model import MOST_AT_ONCE, LiteModel
from foundation.models.rows import Rows
from foundation.store.encoders import LITE_MODEL, encoder_directory


@pytest.fixture(scope="module")
def content(encoder_store, only_encoder) -> bytes:
    """The LiteRT form of the shared encoder."""
    return (encoder_store / encoder_directory(only_encoder(encoder_store)) / LITE_MODEL).read_bytes()


@pytest.fixture(scope="module")
def model(content: bytes) -> LiteModel:
    """The same, loaded."""
    return LiteModel(content)


def photos(count: int) -> np.ndarray:
    """Random photos of the shared encoder's size."""
    return np.random.default_rng(0).integers(0, 256, (count, 16, 16, 3), np.uint8)


def test_it_says_what_it_takes_and_gives(model: LiteModel) -> None:
    """The number of photos is left open."""
    assert (model.takes, model.gives) == (Rows(np.uint8, (16, 16, 3)), Rows(np.float32, (16,)))


@pytest.mark.parametrize("count", [1, 3, MOST_AT_ONCE, MOST_AT_ONCE + 1, 3 * MOST_AT_ONCE - 1])
def test_a_batch_of_any_size_is_answered_as_photo_by_photo(model: LiteModel, count: int) -> None:
    """Sizes may follow each other in any order, and a batch may be more than is computed at a time."""
    batch = photos(count)
    one_by_one = np.concatenate([model(photo[None]) for photo in batch])
    np.testing.assert_allclose(model(batch), one_by_one, atol=1e-5)


def test_threads_get_their_own_answers(model: LiteModel) -> None:
    """The steps of a Beam worker share one encoder; a batch of another size must not come between."""
    batches = [photos(20)[:count] for count in (1, 7, 20, 2, 16) * 8]
    expected = model(photos(20))
    with ThreadPoolExecutor(8) as pool:
        for batch, vectors in zip(batches, pool.map(model, batches), strict=True):
            np.testing.assert_allclose(vectors, expected[: len(batch)], atol=1e-5)


def test_loading_prints_nothing(encoder_store, only_encoder, run_python) -> None:
    """What the library says of its kernels, once in a process, is not addressed to a user."""
    path = encoder_store / encoder_directory(only_encoder(encoder_store)) / LITE_MODEL
    code = (
        "import os, pathlib\nfrom foundation.models.lite_model import LiteModel\n"
        f"os.dup2(1, 2)\nLiteModel(pathlib.Path({str(path)!r}).read_bytes())"
    )
    assert run_python(code) == ""
