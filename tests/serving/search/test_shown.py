"""Searches that pass over hidden rows, against a search that never knew them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foundation.vectors import exact_neighbours
from serving.search.shown import shown_neighbours
from tests.builders import unit_vectors

VECTORS = unit_vectors(60, 4)
QUERIES = unit_vectors(7, 4, seed=1)


def index(queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Finds the nearest vectors, hidden or not."""
    return exact_neighbours(queries, VECTORS, k=k, distance="cosine")


@given(st.lists(st.booleans(), min_size=60, max_size=60), st.integers(1, 70))
def test_it_finds_what_is_nearest_of_what_is_shown(hides: list[bool], k: int):
    """However many of the nearest are hidden; where fewer than k are left, there are holes at the end."""
    hidden = np.array(hides)
    rows, similarities = shown_neighbours(index, QUERIES, k, hides=hidden.__getitem__, most=60)
    expected_rows, expected = exact_neighbours(QUERIES, VECTORS, k=k, distance="cosine", hidden=hidden)
    shown = expected_rows.shape[1]
    np.testing.assert_array_equal(rows[:, :shown], expected_rows)
    np.testing.assert_allclose(similarities[:, :shown], expected, atol=1e-6)
    assert (rows[:, shown:] == -1).all()
    kept = np.flatnonzero(~hidden)
    alone, _ = exact_neighbours(QUERIES, VECTORS[kept], k=k, distance="cosine")
    np.testing.assert_array_equal(rows[:, : alone.shape[1]], kept[alone])


def test_it_asks_again_only_for_queries_that_lack_neighbours():
    """One query's nearest are all hidden; those beside it are searched once."""
    asked: list[tuple[int, int]] = []

    def search(queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        asked.append((len(queries), k))
        return index(queries, k)

    hidden = np.zeros(60, bool)
    hidden[index(QUERIES[:1], 20)[0]] = True
    shown_neighbours(search, QUERIES[:1], 3, hides=hidden.__getitem__, most=60)
    assert asked == [(1, 6), (1, 24)]


def test_where_an_index_has_nothing_more_it_is_not_asked_again():
    """Leaves that were searched may hold fewer rows than were asked for."""
    calls: list[int] = []

    def search(queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        calls.append(k)
        return np.full((len(queries), k), -1), np.full((len(queries), k), -np.inf, np.float32)

    rows, _ = shown_neighbours(search, QUERIES, 5, hides=np.zeros(60, bool).__getitem__, most=60)
    assert calls == [10]
    assert (rows == -1).all()
