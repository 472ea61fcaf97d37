"""The sweep: the cheapest search that surely reaches the target is found, and what was measured is kept."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.store.segments import MeasuredSearch, SearchParameters
from foundation.vectors import exact_neighbours
from pipelines.index import tune
from pipelines.index.mapped import RowsOnDisk
from pipelines.index.tune import (
    NEIGHBOURS,
    Questions,
    Trial,
    frontier,
    in_order_to_take,
    leaves_to_try,
    make_questions,
    sample_queries,
    shares_found,
    sweep,
)
from tests.builders import unit_vectors


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_queries_of_the_measurement_are_moved_and_the_same_each_time(distance: str) -> None:
    """Near the vectors they come from, and none of them; unit vectors stay unit vectors."""
    vectors = unit_vectors(3_000, 8) * np.float32(1 if distance == "cosine" else 7)
    queries = sample_queries(RowsOnDisk(vectors), distance)
    np.testing.assert_array_equal(queries, sample_queries(RowsOnDisk(vectors), distance))
    assert queries.shape == (1_000, 8)
    assert queries.dtype == np.float32
    lengths = np.linalg.norm(queries, axis=1)
    cosines = (queries @ vectors.T / lengths[:, None] / np.linalg.norm(vectors[0])).max(axis=1)
    assert 0.9 < np.median(cosines) < 0.999
    assert distance == "euclidean" or np.allclose(lengths, 1, atol=1e-5)


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("rows", [5, 700])
def test_the_last_neighbour_is_that_of_exact_search(distance: str, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many blocks the vectors are looked at in, and where there are fewer than ten."""
    monkeypatch.setattr(tune, "COMPARED_ROWS", 64)
    vectors = unit_vectors(rows, 8)
    # Rows that come back often are in several blocks: equal ones count one by one.
    vectors[rows // 2 :] = vectors[: rows - rows // 2]
    questions = make_questions(RowsOnDisk(vectors), distance)
    _, best = exact_neighbours(questions.queries, vectors, k=NEIGHBOURS, distance=distance)
    np.testing.assert_allclose(questions.last, best[:, -1], atol=1e-6)
    halves = questions.part(0), questions.part(1)
    assert sum(len(half.queries) for half in halves) == len(questions.queries)
    assert abs(len(halves[0].last) - len(halves[1].last)) <= 1


def test_recall_is_counted_by_similarity() -> None:
    """Any of several equal neighbours is right; one that is too far, or missing, is not."""
    found = np.array([[0.9, 0.8, 0.8], [0.9, 0.8, 0.7999], [0.9, 0.7, -np.inf]], np.float32)
    np.testing.assert_allclose(shares_found(found, np.full(3, 0.8, np.float32)), [1, 2 / 3, 1 / 3])


class MadeIndex:
    """Stands for an index that finds the more, the more leaves it searches and the more candidates it scores."""

    def __init__(self, *, needs: int, reorder: int):
        self.needs, self.reorder, self.asked = needs, reorder, []

    def search(self, queries: np.ndarray, k: int, parameters: SearchParameters) -> tuple[None, np.ndarray]:
        """Finds all ten neighbours from so many leaves and candidates on, and a part of them below."""
        self.asked.append((parameters.leaves_to_search, parameters.reorder))
        share = min(1, parameters.leaves_to_search / self.needs) * min(1, parameters.reorder / self.reorder)
        found = np.where(np.arange(k) < round(k * share), 1, 0)
        return None, np.tile(found.astype(np.float32), (len(queries), 1))


QUESTIONS = Questions(np.zeros((20, 2), np.float32), np.ones(20, np.float32))


def test_the_cheapest_search_that_reaches_the_target_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """No fewer leaves and no fewer candidates would do, and hardly more are taken than are needed."""
    index = MadeIndex(needs=37, reorder=90)
    # Time goes on with the work of each search.
    spent = lambda: sum(100 * leaves + reorder for leaves, reorder in index.asked)  # noqa: E731
    monkeypatch.setattr(tune.time, "process_time", spent)
    trials = sweep(index, QUESTIONS, leaves=200, rows=9_000, target=0.95)
    best = in_order_to_take(trials, 0.95)[0]
    enough = [count for count in leaves_to_try(200) if count >= 37]
    assert (best.leaves_to_search, best.reorder, best.recall_at_10) == (enough[0], 100, 1)
    assert best in frontier(trials)
    assert len(trials) < 20


def test_a_target_out_of_reach_is_tried_with_everything() -> None:
    """All leaves, and many candidates; the search that finds most is the first to be taken."""
    trials = sweep(MadeIndex(needs=400, reorder=50), QUESTIONS, leaves=200, rows=9_000, target=0.95)
    assert (trials[-1].search.leaves_to_search, trials[-1].search.reorder) == (200, 1_600)
    assert in_order_to_take(trials, 0.95)[0].recall_at_10 == 0.5


def test_a_recall_that_may_be_chance_does_not_reach_the_target() -> None:
    """Half of the queries find everything and half 90 %: the mean of few says little about others."""
    questions = Questions(np.zeros((20, 2), np.float32), np.ones(20, np.float32))

    class Uneven:
        def search(self, queries: np.ndarray, k: int, _: SearchParameters) -> tuple[None, np.ndarray]:
            found = np.ones((len(queries), k), np.float32)
            found[::2, -1] = 0
            return None, found

    trial = tune.measure(Uneven(), questions, SearchParameters(leaves=4, leaves_to_search=1, reorder=9))
    assert trial.search.recall_at_10 == 0.95
    assert trial.at_least == pytest.approx(0.95 - 2 * 0.05 / 20**0.5)


def trial(recall: float, microseconds: float) -> Trial:
    """Returns a search whose recall is certain."""
    parameters = {"leaves": 9, "leaves_to_search": 3, "reorder": 50}
    return Trial(MeasuredSearch(**parameters, recall_at_10=recall, microseconds_per_query=microseconds), recall)


measured = st.lists(st.builds(trial, st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]), st.integers(1, 9)), min_size=1)


@given(measured)
def test_the_frontier_holds_what_no_other_search_beats(trials: list[Trial]) -> None:
    """Each search has one on the frontier that finds as much in as little time; none there beats another."""
    kept = frontier(trials)
    for one in trials:
        assert any(
            best.recall_at_10 >= one.search.recall_at_10
            and best.microseconds_per_query <= one.search.microseconds_per_query
            for best in kept
        )
    recalls, times = ([getattr(one, name) for one in kept] for name in ("recall_at_10", "microseconds_per_query"))
    assert recalls == sorted(set(recalls))
    assert times == sorted(set(times))


@given(measured, st.sampled_from([0.8, 0.95, 1.0]))
def test_the_cheapest_that_is_good_enough_comes_first(trials: list[Trial], target: float) -> None:
    """Then the dearer ones, and last what misses the target, the best of it first; every search is listed."""
    order = in_order_to_take(trials, target)
    enough = [one for one in order if one.recall_at_10 >= target]
    assert len(order) == len(trials)
    assert order[: len(enough)] == enough
    assert enough == sorted(enough, key=lambda one: one.microseconds_per_query)
    others = [one.recall_at_10 for one in order[len(enough) :]]
    assert others == sorted(others, reverse=True)


@given(st.integers(1, 3_000))
def test_leaves_are_tried_up_to_all_of_them(leaves: int) -> None:
    """Each number is greater than the last, at most by a quarter or one, and there are few."""
    counts = leaves_to_try(leaves)
    assert counts[-1] == leaves
    assert counts[0] <= max(1, leaves / 50)
    assert all(small < large <= max(small + 1, round(small * 1.25)) for small, large in pairwise(counts))
    assert len(counts) <= 25
