"""Exact search: its answers do not depend on what is asked beside a query."""

import numpy as np
import pytest

from foundation.store.segments import SearchParameters
from serving.search.exact_index import ExactIndex
from tests.builders import unit_vectors


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("rows", [1, 3, 8, 40, 300])
def test_a_query_has_the_same_similarities_alone_and_among_others(distance: str, rows: int):
    """To the last bit: products of few vectors are rounded otherwise than those of many."""
    index = ExactIndex(unit_vectors(rows, 64), distance=distance)
    queries = unit_vectors(65, 64, seed=1)
    together = index.search(queries, 5, SearchParameters())
    for size in (1, 2, 7, 64):
        for found, expected in zip(index.search(queries[:size], 5, SearchParameters()), together, strict=True):
            np.testing.assert_array_equal(found, expected[:size])
