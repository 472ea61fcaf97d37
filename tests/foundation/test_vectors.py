"""Distances: what similarity means, and exact search against a naive one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation import vectors as vectors_module
from foundation.vectors import exact_neighbours, similarity, to_score


def vectors_of(rows: int, *, seed: int = 0, unit: bool = True) -> np.ndarray:
    """Returns float32 [rows, 8]."""
    vectors = np.random.default_rng(seed).standard_normal((rows, 8)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True) if unit else vectors * 5


def naive(queries: np.ndarray, vectors: np.ndarray, name: str) -> np.ndarray:
    """Returns float64 [queries, vectors], pair by pair."""
    if name == "cosine":
        return np.array([[float(np.dot(q.astype(float), v.astype(float))) for v in vectors] for q in queries])
    return np.array([[1 / (1 + float(np.linalg.norm(q.astype(float) - v))) for v in vectors] for q in queries])


@pytest.mark.parametrize("name", ["cosine", "euclidean"])
def test_similarity_is_what_the_naive_pair_says(name: str) -> None:
    """float32, one row per query, one column per vector."""
    queries, vectors = vectors_of(3, unit=name == "cosine"), vectors_of(7, seed=1, unit=name == "cosine")
    found = similarity(queries, vectors, name)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, naive(queries, vectors, name), atol=1e-6)


@pytest.mark.parametrize("length", [1e-3, 1.0, 50.0, 3_000.0])
def test_the_same_vector_has_similarity_one(length: float) -> None:
    """However long the vectors are: rounding must not set a photo apart from itself."""
    vectors = vectors_of(20) * np.float32(length)
    np.testing.assert_allclose(np.diag(similarity(vectors, vectors, "euclidean")), 1, atol=1e-4)
    unit = vectors_of(20)
    assert np.diag(similarity(unit, unit, "cosine")).max() <= 1


def test_scores_lie_between_zero_and_one_and_keep_the_order() -> None:
    """Opposite, orthogonal and same under cosine; far and same under euclidean."""
    np.testing.assert_allclose(to_score(np.array([-1.0, 0.0, 1.0]), "cosine"), [0, 0.5, 1])
    np.testing.assert_allclose(to_score(np.array([0.01, 1.0]), "euclidean"), [0.01, 1])


@pytest.mark.parametrize("name", ["cosine", "euclidean"])
@pytest.mark.parametrize("block_rows", [1, 2, 7, 50, 1_000])
@pytest.mark.parametrize("k", [1, 5, 49, 50, 500])
def test_exact_search_equals_a_full_sort(monkeypatch: pytest.MonkeyPatch, name: str, block_rows: int, k: int) -> None:
    """Over one block or many, the k best come back in order; with fewer vectors than k there are fewer columns."""
    monkeypatch.setattr(vectors_module, "BLOCK_ROWS", block_rows)
    queries, vectors = vectors_of(4, unit=name == "cosine"), vectors_of(50, seed=1, unit=name == "cosine")
    rows, similarities = exact_neighbours(queries, vectors, k=k, distance=name)
    expected = naive(queries, vectors, name)
    order = np.argsort(-expected, axis=1)[:, :k]
    assert rows.dtype == np.int64
    assert similarities.dtype == np.float32
    np.testing.assert_array_equal(rows, order)
    np.testing.assert_allclose(similarities, np.take_along_axis(expected, order, axis=1), atol=1e-6)


def test_the_two_distances_disagree_where_lengths_differ() -> None:
    """A long vector in the query's direction wins under the inner product, a near one under euclidean."""
    query = np.array([[1.0, 0.0]], np.float32)
    vectors = np.array([[0.8, 0.6], [10.0, 0.0]], np.float32)
    assert exact_neighbours(query, vectors, k=1, distance="euclidean")[0] == [[0]]
    assert exact_neighbours(query, vectors / np.linalg.norm(vectors, axis=1)[:, None], k=1, distance="cosine")[0] == 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 3), st.integers(0, 6), st.integers(1, 4))
def test_empty_sides_give_empty_answers(queries: int, vectors: int, k: int) -> None:
    """No query or no vector is no error."""
    rows, similarities = exact_neighbours(vectors_of(queries), vectors_of(vectors), k=k, distance="cosine")
    assert rows.shape == similarities.shape == (queries, min(k, vectors))


def test_vectors_may_lie_on_disk(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A memory-mapped matrix is searched block by block."""
    monkeypatch.setattr(vectors_module, "BLOCK_ROWS", 10)
    np.save(tmp_path / "v.npy", vectors_of(25))
    mapped = np.load(tmp_path / "v.npy", mmap_mode="r")
    rows, _ = exact_neighbours(vectors_of(25), mapped, k=1, distance="cosine")
    assert rows[:, 0].tolist() == list(range(25))


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_hidden_vectors_are_not_found(distance: str):
    """What is left is found as if they were not there; without any other left, rows are -1."""
    vectors = vectors_of(40)
    hidden = np.arange(40) % 3 == 0
    rows, similarities = exact_neighbours(vectors[:4], vectors, k=30, distance=distance, hidden=hidden)
    kept = np.flatnonzero(~hidden)
    expected_rows, expected = exact_neighbours(vectors[:4], vectors[kept], k=26, distance=distance)
    np.testing.assert_array_equal(rows[:, :26], kept[expected_rows])
    np.testing.assert_allclose(similarities[:, :26], expected, atol=1e-6)
    assert (rows[:, 26:] == -1).all()
    assert (similarities[:, 26:] == -np.inf).all()
