"""The ScaNN index of a segment: tuned to a recall, measured with other queries, under the bar refused."""

from pathlib import Path

import numpy as np
import pytest

from foundation.errors import ArtifactRefusedError
from foundation.store.segments import MeasuredSearch, SearchParameters
from foundation.vectors import exact_neighbours
from pipelines.index import scann_index, tune
from pipelines.index.mapped import save_on_disk
from pipelines.index.plan import IndexOptions
from pipelines.index.tune import Questions, Trial
from serving.search.scann_index import ScannIndex, load_searcher
from tests.builders import unit_vectors

ROWS = 3_000


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_the_recall_holds_for_queries_that_nothing_was_chosen_by(tmp_path: Path, distance: str) -> None:
    """What the folder answers, moved elsewhere, agrees with exact search as often as it is said to."""
    vectors = unit_vectors(ROWS, 16) * np.float32(1 if distance == "cosine" else 7)
    mapped = save_on_disk(tmp_path / "vectors.npy", vectors)
    found = scann_index.write_scann(tmp_path / "scann", mapped, distance, IndexOptions(target_recall=0.95))
    assert found.recall >= 0.95
    assert found.queries == 500
    (tmp_path / "scann").rename(tmp_path / "moved")
    index = ScannIndex(load_searcher(tmp_path / "moved"), distance=distance, rows=ROWS, vectors=mapped)
    queries = unit_vectors(300, 16, seed=9) * np.float32(1 if distance == "cosine" else 7)
    rows, similarities = index.search(queries, 10, found.parameters)
    best, exact = exact_neighbours(queries, vectors, k=10, distance=distance)
    assert np.mean([len(set(some) & set(true)) for some, true in zip(rows, best, strict=True)]) > 9
    # Whatever the tree's own hashes say, the similarity that comes back is the exact one.
    hits = rows == best
    np.testing.assert_allclose(similarities[hits], exact[hits], atol=1e-5)


def test_the_search_that_is_taken_stands_among_those_that_were_tried(tmp_path: Path) -> None:
    """The description keeps the frontier: dearer searches find more, and one of them is searched with."""
    mapped = save_on_disk(tmp_path / "vectors.npy", unit_vectors(ROWS, 16))
    found = scann_index.write_scann(tmp_path / "scann", mapped, "cosine", IndexOptions())
    kept = [(one.leaves, one.leaves_to_search, one.reorder) for one in found.frontier]
    assert (found.parameters.leaves, found.parameters.leaves_to_search, found.parameters.reorder) in kept
    assert type(found.parameters) is SearchParameters
    assert found.frontier == sorted(found.frontier, key=lambda one: one.microseconds_per_query)
    assert found.frontier == sorted(found.frontier, key=lambda one: one.recall_at_10)


def made_search(recall: float, leaves: int) -> MeasuredSearch:
    """Returns a search that was measured with the queries that it is chosen by."""
    return MeasuredSearch(
        leaves=9, leaves_to_search=leaves, reorder=9, recall_at_10=recall, microseconds_per_query=leaves
    )


def test_a_search_that_disappoints_other_queries_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that reaches the bar with queries of their own is taken; if none does, nothing is published."""
    recalls = {1: 0.94, 2: 0.97, 3: 0.99}
    measured = lambda index, questions, search: Trial(made_search(recalls[search.leaves_to_search], 1), 0)  # noqa: E731
    monkeypatch.setattr(scann_index, "measure", measured)
    questions = Questions(np.zeros((1, 2)), np.zeros(1))
    searches = [made_search(0.96, leaves) for leaves in (1, 2, 3)]
    assert scann_index.take(None, questions, searches, 0.95).recall_at_10 == 0.97
    with pytest.raises(ArtifactRefusedError, match=r"is 0\.990, expected at least 0\.995; nothing was published"):
        scann_index.take(None, questions, searches, 0.995)


def test_few_rows_of_one_leaf_are_searched_too(tmp_path: Path) -> None:
    """ScaNN learns from sixteen rows, and every search finds them all."""
    mapped = save_on_disk(tmp_path / "vectors.npy", unit_vectors(16, 8))
    found = scann_index.write_scann(tmp_path / "scann", mapped, "cosine", IndexOptions())
    assert found.parameters.leaves == 4
    assert found.recall == 1
    assert tune.NEIGHBOURS == 10
